"""Job scripts run their verb, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from jepa_ray.cli.job import SUBMITTED_WITH
from tests.prepared_corpus import JIRA, issue_lines, write_issues, write_prepared

REPO = Path(__file__).resolve().parents[2]


def job(verb: str, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, REPO / "jobs" / f"{verb}.py", file],
        capture_output=True, text=True, check=False, timeout=500,
        env=os.environ | {"PYTHONPATH": str(REPO)} | environment,
    )  # fmt: skip


def file(folder: Path, /, **document: object) -> Path:
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_mistake_ends_a_job_with_the_exit_code_of_the_verb(tmp_path):
    absent = {"checkpoint": f"{tmp_path}/none", "processed_dir": str(tmp_path)}
    found = job("evaluate", file(tmp_path, **absent))
    assert found.returncode == 2
    assert "no checkpoint at" in found.stderr


def test_a_job_that_another_python_submitted_does_not_start(tmp_path):
    theirs = json.dumps({"Python": "2.7.18"})
    found = job("train", file(tmp_path), **{SUBMITTED_WITH: theirs})
    assert found.returncode == 2
    assert "submitted with 2.7.18" in found.stderr


SMALL = {
    "batch_size": 8,
    "val_batches": 1,
    "model": {"d_model": 16, "layers": 1, "heads": 2, "mlp": 16},
}


def done(verb: str, folder: Path, /, **document: object) -> str:
    """What a job prints that ends well."""
    found = job(verb, file(folder, **document))
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_of_each_verb_about_a_training_runs_to_its_end(tmp_path):
    shared = {"processed_dir": str(tmp_path / "p")}
    write_issues(tmp_path / "raw", issue_lines(64))
    done(
        "prepare", tmp_path, dataset=JIRA, data_root=str(tmp_path / "raw"), run_id="a",
        reports_dir=str(tmp_path / "r"), **shared, settings={"num_cpus": 2},
    )  # fmt: skip
    storage, run = str(tmp_path / "s"), str(tmp_path / "s" / "a")
    done("train", tmp_path, storage_path=storage, run_id="a", steps=4, **shared, settings=SMALL)
    assert "Verdict:" in done("evaluate", tmp_path, checkpoint=run, batches=1, **shared)
    # Its processes import the script that started them, which must not run the job again.
    assert "Verdict:" in done("probe", tmp_path, checkpoint=run, **shared)
    assert "64 windows" in done(
        "embed", tmp_path, checkpoint=run, input=shared["processed_dir"],
        output=str(tmp_path / "e.parquet"), per_slot=True,
    )  # fmt: skip
    assert "index.html" in done("report", tmp_path, folder=run)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_of_each_verb_about_a_confirmation_runs_to_its_end(tmp_path):
    shared = {"processed_dir": str(tmp_path / "p")}
    write_prepared(shared["processed_dir"], tmp_path / "raw", records=40)
    storage, run = str(tmp_path / "s"), str(tmp_path / "s" / "a")
    said = done(
        "confirm", tmp_path, storage_path=storage, run_id="a", seeds="1..2", **shared,
        settings={"train": SMALL | {"steps": 4}},
    )  # fmt: skip
    assert "pass02" in said
    assert "checks are ok" in done("verify", tmp_path, run=run)


def test_a_check_that_fails_is_the_exit_code_of_its_job(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "confirmation.json").write_text("{}")
    found = job("verify", file(tmp_path, run=str(tmp_path / "run")))
    assert found.returncode == 1, found.stderr
    assert "FAILED" in found.stdout
