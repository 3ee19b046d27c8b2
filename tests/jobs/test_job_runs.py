"""Job scripts run their verb, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from jepa_ray.cli.job import SUBMITTED_WITH
from tests.prepared_corpus import write_prepared

REPO = Path(__file__).resolve().parents[2]


def job(verb: str, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, REPO / "jobs" / f"{verb}.py", file],
        capture_output=True, text=True, check=False, timeout=500,
        env=os.environ | {"PYTHONPATH": str(REPO)} | environment,
    )  # fmt: skip


def file(folder: Path, **document: object) -> Path:
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


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_job_of_each_verb_runs_to_its_end(tmp_path):
    processed = str(tmp_path / "p")
    write_prepared(processed, tmp_path / "raw", records=64)
    shared = {"processed_dir": processed}
    prepared = job(
        "prepare",
        file(
            tmp_path, dataset="public_jira", data_root=str(tmp_path / "raw"), run_id="a",
            reports_dir=str(tmp_path / "r"), **shared, settings={"num_cpus": 2},
        ),
    )  # fmt: skip
    assert prepared.returncode == 0, prepared.stderr
    small = {"d_model": 16, "layers": 1, "heads": 2, "mlp": 16}
    trained = job(
        "train",
        file(
            tmp_path, storage_path=str(tmp_path / "s"), run_id="a", steps=4, **shared,
            settings={"batch_size": 8, "val_batches": 1, "model": small},
        ),
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    scored = job("evaluate", file(tmp_path, checkpoint=str(tmp_path / "s/a"), batches=1, **shared))
    assert scored.returncode == 0, scored.stderr
    assert "Verdict:" in scored.stdout
