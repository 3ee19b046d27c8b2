"""The whole of it on a made-up corpus."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from jepa_ray.checkpoint import FILE_NAME, save_checkpoint
from jepa_ray.config import SplitConfig, TrainConfig
from jepa_ray.corpus import fingerprints
from jepa_ray.errors import CheckpointError, ConfigError, SourceError, UsageError
from jepa_ray.evaluate.probes import TASKS, delayed, find, probe
from jepa_ray.evaluate.probes.outcome import Outcome
from jepa_ray.evaluate.probes.run import Target, _done
from jepa_ray.evaluate.probes.units import Found, Place
from jepa_ray.model import ScheduleJEPA
from jepa_ray.storage import write_json
from tests.evaluate.probes.made import CONFIG, TASK, TINY
from tests.evaluate.probes.made_deadlines import write_many
from tests.prepared_corpus import JIRA, issue_lines, write_prepared

ASKED = ("weekend", "hidden_activity", "votes", "late_by_time", "jira_late_by_time")


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probed")
    write_prepared(folder / "processed", folder / "raw", lines=issue_lines(2000, projects=60))
    return str(folder / "processed")


def save(folder, processed, seed=1, mode="random_resplit", about=None):
    split = SplitConfig(mode=mode, seed=seed, val_fraction=0.5)
    config = TrainConfig(seed=seed, model=TINY, split=split)
    provenance = {"datasets": about or fingerprints(processed, [JIRA])}
    model = ScheduleJEPA(TINY, seed=seed + 100)
    return save_checkpoint(str(folder), model, config, step=1, provenance=provenance)


@pytest.fixture(scope="module", autouse=True)
def without_real_tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JEPA_RAY_REAL_DATA", raising=False)
        yield


@pytest.fixture(scope="module")
def found(tmp_path_factory, processed):
    folder = tmp_path_factory.mktemp("training")
    save(folder, processed)
    return folder, probe(str(folder), processed_dir=processed, tasks=ASKED, config=CONFIG)


def test_the_result_lies_beside_the_checkpoint(found):
    folder, document = found
    assert json.loads((folder / "probes.json").read_text()) == document
    assert document["checkpoints"] == [str(folder / FILE_NAME)]
    assert document["windows"] == 2000


def test_a_task_has_all_that_the_report_needs(found):
    entry = found[1]["tasks"]["weekend"]
    assert set(entry["arms"]) == {
        "prior", "raw_linear", "raw_trees", "pca64", "random64", "untrained", "ours",
        "ours_raw_trees", "wrong_window",
    }  # fmt: skip
    for arm in entry["arms"].values():
        assert arm["interval"][0] <= arm["score"] <= arm["interval"][1]
    assert set(entry["differences"]) == set(entry["arms"]) - {"ours", "ours_raw_trees"}
    assert {"label", "metric", "train", "test", "groups", "split", "wins", "sentence"} <= set(entry)
    assert entry["checkpoints"] == 1
    assert entry["sentence"].startswith("Our embeddings reach ROC AUC ")


def test_nothing_is_learnt_where_there_is_nothing(found):
    """Created days are drawn without a look at the weekday: no arm is far from chance."""
    for arm in found[1]["tasks"]["weekend"]["arms"].values():
        assert arm["interval"][0] < 0.62


def test_tasks_that_a_corpus_cannot_carry_are_told_with_the_reason(found):
    skipped = found[1]["skipped"]
    assert set(skipped) == set(ASKED) - {"weekend"}
    assert "actor_day" in skipped["hidden_activity"]
    assert "of --downstream" in skipped["late_by_time"]
    assert "normalize-jira --deadlines" in skipped["jira_late_by_time"]


def test_a_second_probe_gives_the_same_numbers(found, processed):
    folder, document = found
    again = probe(str(folder), processed_dir=processed, tasks=["weekend"], config=CONFIG)
    assert again["tasks"] == document["tasks"]


@pytest.fixture(scope="module")
def run(tmp_path_factory, processed):
    folder = tmp_path_factory.mktemp("run")
    for name, seed in (("pass01", 1), ("pass02", 2)):
        save(folder / name / "combined", processed, seed)
        save(folder / name / JIRA, processed, seed)
    write_json(folder / "confirmation.json", {"passes": [{"pass": "pass01"}, {"pass": "pass02"}]})
    return folder


def test_a_confirmation_run_is_probed_over_its_combined_checkpoints(run, processed):
    document = probe(str(run), processed_dir=processed, tasks=["weekend"], config=CONFIG)
    assert document["checkpoints"] == [
        str(run / name / "combined" / FILE_NAME) for name in ("pass01", "pass02")
    ]
    assert (run / "probes.json").exists()
    assert not (run / "probes.parts").exists()
    assert document["tasks"]["weekend"]["differences"]["untrained"]["p"] is None  # two passes
    assert document["tasks"]["weekend"]["checkpoints"] == 2


def test_what_was_done_before_a_probe_was_stopped_is_used_again(run, processed, tmp_path):
    folder, lines = tmp_path / "run", []
    shutil.copytree(run, folder)

    def stop(line):
        lines.append(line)
        raise KeyboardInterrupt

    def again(**settings):
        config = CONFIG.model_copy(update=settings)
        return probe(str(folder), processed_dir=processed, tasks=["votes"], config=config)

    with pytest.raises(KeyboardInterrupt):
        probe(str(folder), processed_dir=processed, tasks=["votes"], config=CONFIG, progress=stop)
    (part,) = (folder / "probes.parts").iterdir()
    document = json.loads(part.read_text())
    document["part"]["reason"] = "as it was kept"
    part.write_text(json.dumps(document))
    assert again(draws=1001)["skipped"]["votes"] == "ms_latte is not among the datasets"
    part.parent.mkdir(exist_ok=True)
    part.write_text(json.dumps(document))
    assert again()["skipped"]["votes"] == "as it was kept"


def test_an_outcome_that_was_kept_is_the_same_to_the_bit():
    outcome = Outcome(TASK, 9, 8, 7, "s", {"ours": 0.1}, {"ours": np.array([0.1, np.nan, 1 / 3])})
    found = Found(3, ("w",), outcome)
    again = Found.of(json.loads(json.dumps(found.document(), allow_nan=False)))
    assert (again.windows, again.warnings, again.reason) == (3, ("w",), None)
    assert again.outcome.task == TASK
    np.testing.assert_array_equal(again.outcome.draws["ours"], outcome.draws["ours"])


def test_an_unfinished_confirmation_run_is_not_probed(tmp_path, processed):
    save(tmp_path / "pass01" / "combined", processed)
    (tmp_path / "confirm.yaml").write_text("steps: 5\n")
    with pytest.raises(CheckpointError, match="unfinished"):
        find(str(tmp_path))


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(tmp_path, processed):
    save(tmp_path, processed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: "taken")
        (tmp_path / ".probe-taken").mkdir()
        with pytest.raises(UsageError, match="not a folder that can be written to"):
            probe(str(tmp_path), processed_dir=processed, tasks=["votes"], config=CONFIG)


def test_a_result_says_of_which_checkpoint_and_windows_it_is_and_how_it_was_made(found, processed):
    folder, document = found
    content = (folder / FILE_NAME).read_bytes()
    assert document["checkpoint_sha256"] == [hashlib.sha256(content).hexdigest()]
    assert document["corpus"] == fingerprints(processed, [JIRA])
    assert document["settings"] == CONFIG.model_dump(mode="json")


def test_what_was_done_on_other_labels_is_not_used_again(tmp_path, processed):
    (tmp_path / "README.md").write_text("beside the tables")
    table = tmp_path / "apache_creation.csv"
    keys = set()
    for label in (0, 9):
        table.write_text(f"issuekey,delaydays\nA-1,{label}\n")
        place = Place(processed, str(tmp_path), None, CONFIG)
        keys.add(_done(place, Target(str(tmp_path), ("x",))).key)
    assert len(keys) == 2


def test_issues_of_our_own_jira_are_asked_about(tmp_path, processed):
    save(tmp_path, processed)
    write_many(tmp_path / "d")
    tasks = [task.name for task in delayed.OF_JIRA]
    given = {"processed_dir": processed, "downstream": str(tmp_path / "d"), "config": CONFIG}
    found = probe(str(tmp_path), tasks=tasks, **given)
    assert set(found["tasks"]) == set(tasks)
    for entry in found["tasks"].values():
        assert "first had a due date" in entry["input"]
        assert entry["groups"] >= 20


def test_a_damaged_file_of_deadlines_is_told_before_the_work(tmp_path, processed):
    save(tmp_path, processed)
    path = write_many(tmp_path / "d")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match="is damaged"):
        probe(str(tmp_path), processed_dir=processed, downstream=str(tmp_path / "d"), config=CONFIG)
    assert not (tmp_path / "probes.parts").exists()
    given = {"processed_dir": processed, "downstream": str(tmp_path / "d"), "config": CONFIG}
    found = probe(str(tmp_path), tasks=["votes"], **given)
    assert set(found["tables"]) == {"a.deadlines.jsonl.gz"}


def test_a_folder_without_tables_is_a_mistake(tmp_path, processed):
    save(tmp_path, processed)
    given = {"processed_dir": processed, "downstream": str(tmp_path / "none"), "config": CONFIG}
    with pytest.raises(SourceError, match=r"none holds neither delayed_issues/"):
        probe(str(tmp_path), tasks=["votes"], **given)


def test_a_quick_look_does_not_replace_the_record(tmp_path, processed, caplog):
    save(tmp_path, processed)
    for tasks in (["votes", "hidden_activity"], ["votes"]):
        probe(str(tmp_path), processed_dir=processed, tasks=tasks, config=CONFIG)
    assert set(json.loads((tmp_path / "probes.json").read_text())["skipped"]) == {
        "votes", "hidden_activity",
    }  # fmt: skip
    assert "probes.json is left as it is" in caplog.text


def test_a_dataset_that_the_split_cannot_part_ends_nothing(tmp_path, processed):
    """MS-LaTTE has no dates."""
    shutil.copytree(Path(processed) / JIRA, tmp_path / "p" / JIRA)
    write_prepared(tmp_path / "p", tmp_path / "raw", "ms_latte", records=20)
    both = fingerprints(str(tmp_path / "p"), [JIRA, "ms_latte"])
    save(tmp_path, processed, mode="temporal", about=both)
    tasks, place = ["hidden_activity", "votes"], str(tmp_path / "p")
    found = probe(str(tmp_path), processed_dir=place, tasks=tasks, config=CONFIG)
    assert found["windows"] == 2000
    assert "split mode 'temporal' cannot cut" in found["skipped"]["votes"]
    (warning,) = found["warnings"]
    assert warning.startswith("left out: ms_latte: fewer than two distinct window times")


def test_windows_prepared_anew_are_a_warning(tmp_path, processed):
    save(tmp_path, processed, about={JIRA: "another"})
    tasks = ["hidden_activity", "votes"]
    found = probe(str(tmp_path), processed_dir=processed, tasks=tasks, config=CONFIG)
    (warning,) = found["warnings"]
    assert "public_jira was prepared anew since the training" in warning


@pytest.mark.slow
def test_the_number_of_processes_does_not_reach_the_numbers(found, processed):
    folder, document = found
    two = CONFIG.model_copy(update={"processes": 2})
    again = probe(str(folder), processed_dir=processed, tasks=ASKED, config=two)
    assert again["tasks"] == document["tasks"]
    assert again["skipped"] == document["skipped"]


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CheckpointError, match="confirmation run"):
            find(str(place))


def test_an_unknown_task_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(ConfigError, match=r"weekday.*weekend"):
        probe(str(tmp_path), processed_dir="x", tasks=["weekday"], config=CONFIG)
    assert "weekend" in TASKS
