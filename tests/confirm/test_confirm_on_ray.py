"""Two passes over two datasets as Tune trials, through the command line."""

import json
from pathlib import Path

import pytest

from jepa_ray.checkpoint import load_checkpoint
from jepa_ray.confirm.verify import verify
from tests.confirm.runs import GH, corpus, flags, planned
from tests.prepared_corpus import JIRA
from tests.train.trainings import data_of, kept

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> str:
    return corpus(tmp_path_factory.mktemp("corpus"))


def confirm(command, processed, storage, *more, **settings):
    return command(
        "confirm", "--processed-dir", processed, "--storage-path", storage, "--run-id", "a",
        "--json", *flags(**settings), *more,
    )  # fmt: skip


def test_two_passes_leave_a_checkpoint_a_dataset_and_one_over_all(
    command, processed, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = confirm(command, processed, tmp_path, "--seeds", "1,2")
    assert found.code == 0, found.err
    run = tmp_path / "a"
    assert found.json == json.loads((run / "confirmation.json").read_text())
    assert {path.name for path in run.iterdir()} == {
        "confirm.yaml", "corpus.json", "confirmation.json", "pass01", "pass02", "ray", ".lock",
    }  # fmt: skip
    for number, each in enumerate(planned(processed, run)):
        report = json.loads((run / each.name / "report.json").read_text())
        assert report == found.json["passes"][number]
        assert set(report["checkpoints"]) == {GH, JIRA, "combined"}
        for name, about in report["checkpoints"].items():
            kept_as = load_checkpoint(about["path"])
            assert (kept_as.step, kept_as.config.seed, kept_as.config.split.seed) == (
                6, each.seed, each.seed,
            )  # fmt: skip
            assert about["path"] == str(run / each.name / name / "schedule_jepa.pt")
    trials = {path.name for path in (run / "ray").glob("confirm-*/pass0*")}
    assert trials == {"pass01", "pass02"}
    fits = {path.name[:8] for path in (run / "ray").glob("a-pass0*")}
    assert fits == {"a-pass01", "a-pass02"}
    assert not (tmp_path / "home" / "ray_results").exists()
    assert len(found.err.strip().splitlines()) < 12
    assert json.loads((run / "corpus.json").read_text())["load_mode"] == "memory"
    assert [str(check) for check in verify(str(run)) if not check.ok] == []
    require_as_without_ray(planned(processed, run)[1].jobs[0], tmp_path / "alone", found.json)


def require_as_without_ray(job, folder: Path, found: dict) -> None:
    """The training of a dataset in a pass is the training of its seed, to the bit."""
    data = data_of(job.processed_dir, job.config, names=job.names)
    kept(data, folder, job.config)
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    ours = found["passes"][1]["checkpoints"][job.names[0]]
    assert (last["val_loss"], last["train_loss"]) == (ours["val_loss"], ours["train_loss"])


@pytest.mark.slow
def test_a_pass_that_fails_leaves_the_others_whole_and_goes_on_once_mended(
    command, processed, tmp_path
):
    planned_run = planned(processed, tmp_path / "a")
    broken = Path(planned_run[0].jobs[-1].folder) / "states"
    broken.mkdir(parents=True)
    (broken / "step-00000002.pt").write_bytes(b"x")
    found = confirm(command, processed, tmp_path, "--seeds", "1,2")
    assert found.code == 1, found.out
    assert "1 of 2 passes did not finish: pass01 stopped at combined: " in found.err
    assert "step-00000002.pt is not a checkpoint, or damaged" in found.err
    assert "the same command goes on" in found.err
    assert planned_run[1].finished
    assert not (tmp_path / "a" / "confirmation.json").exists()
    (broken / "step-00000002.pt").unlink()
    again = confirm(command, processed, tmp_path, "--seeds", "1,2", concurrent=1)
    assert again.code == 0, again.err
    assert [each["pass"] for each in again.json["passes"]] == ["pass01", "pass02"]


@pytest.mark.slow
def test_passes_of_two_workers_end_where_not_all_of_them_fit(command, processed, tmp_path):
    """Three passes of two workers on the four CPUs of the session."""
    found = confirm(command, processed, tmp_path, "--seeds", "1..3", train__workers=2)
    assert found.code == 0, found.err
    assert [each["workers"] for each in found.json["passes"]] == [2, 2, 2]
