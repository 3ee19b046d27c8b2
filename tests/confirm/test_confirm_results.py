import json
from pathlib import Path

import pytest

from jepa_ray.confirm.results import confirmation, forgetting, pass_report, spreads
from jepa_ray.errors import TrainingError
from tests.confirm.runs import CONFIG, GH, STARTED, planned, pretend_finished, pretend_trained
from tests.prepared_corpus import JIRA


@pytest.fixture
def todo(tmp_path):
    return planned(str(tmp_path / "p"), tmp_path / "run")


def leg(dataset, jira, gharchive):
    return {"dataset": dataset, "step": 0, "losses": {JIRA: jira, GH: gharchive},
            "skills": {JIRA: 1 - jira, GH: None}}  # fmt: skip


def test_a_report_has_what_the_trainings_left(todo):
    for job, loss in zip(todo[0].jobs, (0.25, 0.5, 0.75), strict=True):
        pretend_trained(job, val_loss=loss)
    report = pass_report(todo[0], started=STARTED, seconds=1.23456)
    assert (report["pass"], report["seed"]) == ("pass01", 1)
    assert report["order"] == list(todo[0].order)
    assert (report["val_loss"], report["train_loss"], report["train_windows"]) == (0.75, 0.4, 57)
    assert list(report["checkpoints"]) == [*todo[0].order, "combined"]
    assert report["checkpoints"][todo[0].order[0]] == {
        "path": f"{todo[0].jobs[0].folder}/schedule_jepa.pt", "val_loss": 0.25, "train_loss": 0.4,
        "untrained_loss": 1.04, "skill": 0.25, "rankme": 9.0, "untrained_rankme": 2.5,
        "slot_std": 0.25, "untrained_slot_std": 0.25, "cosine_to_mean": 0.9, "collapsing": False,
        "steps": 6, "train_windows": 57, "val_windows": 7, "seconds": 3.0,
    }  # fmt: skip
    assert report["legs"] is None
    assert report["seconds"] == 1.235
    json.dumps(report, allow_nan=False)


def test_a_report_carries_the_legs(todo):
    for job in todo[0].jobs:
        pretend_trained(job)
    legs = [leg(None, 1.0, 1.0)]
    (Path(todo[0].jobs[-1].folder) / "legs.json").write_text(json.dumps({"legs": legs}))
    assert pass_report(todo[0], started=STARTED, seconds=1)["legs"] == legs


@pytest.mark.parametrize(("text", "said"), [(None, "is not there"), ("", "is damaged"),
                                            ("{", "is damaged"), ("[]", "is damaged")])  # fmt: skip
@pytest.mark.parametrize("file", ["metrics.jsonl", "provenance.json"])
def test_a_training_without_its_numbers_has_no_result(todo, file, text, said):
    for job in todo[0].jobs:
        pretend_trained(job)
    path = Path(todo[0].jobs[1].folder) / file
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(TrainingError, match=f"{file} {said}, .* delete .* the same command"):
        pass_report(todo[0], started=STARTED, seconds=1)


def test_the_spread_is_over_the_passes(todo):
    reports = [
        pretend_finished(each, val_loss=loss) for each, loss in zip(todo, (0.25, 0.75), strict=True)
    ]
    found = spreads(reports)
    assert list(found) == ["combined", GH, JIRA]
    loss = found["combined"]["val_loss"]
    assert (loss["mean"], loss["n"]) == (0.5, 2)
    assert loss["low"] < 0.25
    assert loss["high"] > 0.75
    assert found[JIRA]["rankme"] == {"mean": 9.0, "std": 0.0, "low": 9.0, "high": 9.0, "n": 2}


def test_there_is_no_spread_of_a_skill_that_is_not_there(todo):
    assert spreads([pretend_finished(todo[0], skill=None)])["combined"]["skill"] is None


def test_what_became_of_a_dataset_is_its_loss_after_its_own_leg_and_at_the_end():
    reports = [
        {"order": [JIRA, GH], "legs": [leg(None, 1, 1), leg(JIRA, 0.2, 0.9), leg(GH, 0.5, 0.1)]},
        {"order": [GH, JIRA], "legs": [leg(None, 1, 1), leg(GH, 0.9, 0.3), leg(JIRA, 0.4, 0.7)]},
    ]
    found = forgetting(reports)
    assert found is not None
    assert found[JIRA]["learned"]["mean"] == pytest.approx(0.3)
    assert found[JIRA]["final"]["mean"] == pytest.approx(0.45)
    assert found[JIRA]["learned_skill"]["mean"] == pytest.approx(0.7)
    assert found[JIRA]["final_skill"]["mean"] == pytest.approx(0.55)
    assert found[GH]["final_skill"] is None


def test_passes_in_which_a_dataset_came_last_say_nothing_about_its_forgetting():
    """There its loss at the end is the one after its own leg."""
    first = {"order": [JIRA, GH], "legs": [leg(JIRA, 0.2, 0.9), leg(GH, 0.5, 0.1)]}
    second = {"order": [GH, JIRA], "legs": [leg(GH, 0.9, 0.3), leg(JIRA, 0.4, 0.7)]}
    found = forgetting([first, second])
    assert found is not None
    assert found[JIRA]["forgetting"]["mean"] == pytest.approx(0.3)
    assert found[GH]["forgetting"]["mean"] == pytest.approx(0.4)
    assert found[GH]["forgetting"]["n"] == 1
    alone = forgetting([first])
    assert alone is not None
    assert alone[GH]["forgetting"] is None


def test_where_datasets_were_mixed_nothing_is_said_about_forgetting(todo):
    assert forgetting([pretend_finished(each) for each in todo]) is None


def test_a_confirmation_holds_all_of_it(todo):
    found = confirmation(
        run_id="a", processed_dir="/p", config=CONFIG, datasets={},
        reports=[pretend_finished(each) for each in todo], started=STARTED,
    )  # fmt: skip
    assert set(found) == {
        "format_version", "run_id", "processed_dir", "preset", "mixing", "steps", "batch_size",
        "seeds", "datasets", "passes", "spread", "forgetting", "code_version", "started_utc",
        "ended_utc", "seconds",
    }  # fmt: skip
    assert (found["seeds"], found["steps"], found["mixing"]) == ([1, 2], 6, "sequential")
    json.dumps(found, allow_nan=False)
