"""The whole of it on a made-up corpus."""

import json

import pytest

from jepa_ray.checkpoint import FILE_NAME, save_checkpoint
from jepa_ray.config import SplitConfig, TrainConfig
from jepa_ray.corpus import fingerprints
from jepa_ray.errors import CheckpointError, ConfigError
from jepa_ray.evaluate.probes import TASKS, find, probe
from jepa_ray.model import ScheduleJEPA
from tests.evaluate.probes.made import CONFIG, TINY
from tests.prepared_corpus import JIRA, issue_lines, write_prepared

ASKED = ("weekend", "hidden_activity", "votes", "late_by_time", "jira_delay")


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probed")
    write_prepared(folder / "processed", folder / "raw", lines=issue_lines(500, projects=40))
    return str(folder / "processed")


def save(folder, processed, seed=1):
    config = TrainConfig(seed=seed, model=TINY, split=SplitConfig(seed=seed, val_fraction=0.5))
    provenance = {"datasets": fingerprints(processed, [JIRA])}
    model = ScheduleJEPA(TINY, seed=seed + 100)
    return save_checkpoint(str(folder), model, config, step=1, provenance=provenance)


@pytest.fixture(scope="module")
def found(tmp_path_factory, processed):
    folder = tmp_path_factory.mktemp("training")
    save(folder, processed)
    return folder, probe(str(folder), processed_dir=processed, tasks=ASKED, config=CONFIG)


def test_the_result_lies_beside_the_checkpoint(found):
    folder, document = found
    assert json.loads((folder / "probes.json").read_text()) == document
    assert document["checkpoints"] == [str(folder / FILE_NAME)]
    assert document["windows"] == 500


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
    assert entry["sentence"].startswith("Our embeddings reach ROC AUC ")


def test_nothing_is_learnt_where_there_is_nothing(found):
    """Created days are drawn without a look at the weekday: no arm is far from chance."""
    for arm in found[1]["tasks"]["weekend"]["arms"].values():
        assert arm["interval"][0] < 0.62


def test_tasks_that_a_corpus_cannot_carry_are_told_with_the_reason(found):
    skipped = found[1]["skipped"]
    assert set(skipped) == set(ASKED) - {"weekend"}
    assert "actor_day" in skipped["hidden_activity"]
    assert "--downstream" in skipped["late_by_time"]
    assert "not when it was resolved" in skipped["jira_delay"]


def test_a_second_probe_gives_the_same_numbers(found, processed):
    folder, document = found
    again = probe(str(folder), processed_dir=processed, tasks=["weekend"], config=CONFIG)
    assert again["tasks"] == document["tasks"]


def test_a_confirmation_run_is_probed_over_its_combined_checkpoints(tmp_path, processed):
    for name, seed in (("pass01", 1), ("pass02", 2)):
        save(tmp_path / name / "combined", processed, seed)
        save(tmp_path / name / JIRA, processed, seed)
    document = probe(str(tmp_path), processed_dir=processed, tasks=["weekend"], config=CONFIG)
    assert document["checkpoints"] == [
        str(tmp_path / name / "combined" / FILE_NAME) for name in ("pass01", "pass02")
    ]
    assert (tmp_path / "probes.json").exists()
    assert document["tasks"]["weekend"]["differences"]["untrained"]["p"] <= 1


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
