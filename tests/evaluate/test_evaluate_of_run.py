"""A confirmation run: every pass, and what they say over seeds."""

import hashlib
import json
import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from jepa_ray.checkpoint import load_checkpoint, save_checkpoint, write_state
from jepa_ray.config import EvaluateConfig, ProbeConfig, SplitConfig, TrainConfig
from jepa_ray.corpus import fingerprints
from jepa_ray.errors import CheckpointError
from jepa_ray.evaluate import confirmation, evaluate, evaluate_run, folder_of_training, keep
from jepa_ray.evaluate.of_run import summary
from jepa_ray.evaluate.run_verdict import verdict
from jepa_ray.model import ScheduleJEPA
from jepa_ray.storage import write_json
from tests.evaluate.made import TINY
from tests.prepared_corpus import JIRA, write_prepared

QUICK = EvaluateConfig(batches=2, batch_size=8, device="cpu", training_batches=2, draws=100)


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(folder / "p", folder / "raw", records=120)
    return str(folder / "p")


def a_run(folder: Path, processed: str, seeds: tuple[int, ...] = (1, 2)) -> str:
    """RUN with an untrained model a pass."""
    passes = []
    for i, seed in enumerate(seeds, start=1):
        config = TrainConfig(seed=seed, model=TINY, split=SplitConfig(seed=seed))
        model = ScheduleJEPA(TINY, seed=seed + 100)
        about = {"datasets": fingerprints(processed, [JIRA])}
        save_checkpoint(
            str(folder / f"pass{i:02}" / "combined"), model, config, step=1, provenance=about
        )
        passes.append({"pass": f"pass{i:02}", "seed": seed})
    write_json(folder / "confirmation.json", {"run_id": "r", "passes": passes})
    return str(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory, processed):
    return a_run(tmp_path_factory.mktemp("run"), processed)


@pytest.fixture(scope="module")
def found(run, processed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        return evaluate_run(run, processed_dir=processed, dataset=None, config=QUICK)


def test_the_document_has_all_its_keys_and_is_strict_json(found):
    document = found.document
    assert set(document) == {
        "format_version", "run_id", "passes", "spread", "datasets", "baselines", "by_mask",
        "by_distance", "controls", "referee", "seen_in_training", "unseen_skill", "status",
        "verdict", "warnings",
    }  # fmt: skip
    assert set(document["spread"]) == {
        "loss", "untrained_loss", "reduction", "skill", "rankme", "untrained_rankme", "slot_std",
        "untrained_slot_std", "cosine_to_mean", "cka_with_untrained",
    }  # fmt: skip
    assert all(set(s) == {"mean", "std", "low", "high", "n"} for s in document["spread"].values())
    assert set(document["datasets"][JIRA]) == {"loss", "skill", "seen_in_training"}
    assert set(document["by_distance"][0]) == {"from", "to", "skill"}
    assert set(document["controls"]["wrong_window"]) == {"value", "passed", "judged"}
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_pictures_are_kept_of_the_first_pass_only(found):
    first, second = found.document["passes"].values()
    assert {"map", "examples"} <= first.keys()
    assert not {"map", "examples"} & second.keys()
    assert all("map" in each for each in found.passes.values())


def test_the_spread_is_over_the_passes(found):
    losses = [each["trained"]["loss"] for each in found.passes.values()]
    spread = found.document["spread"]["loss"]
    assert spread["mean"] == pytest.approx(sum(losses) / 2)
    assert spread["low"] < min(losses) <= max(losses) < spread["high"]
    assert found.document["datasets"][JIRA]["skill"]["n"] == 2


def test_each_pass_is_what_its_checkpoint_alone_gives(found, run, processed):
    alone = evaluate(f"{run}/pass02/combined", processed_dir=processed, dataset=None, config=QUICK)
    told = found.passes["pass02"]
    assert alone.document() | {"seconds": 0} == told | {"seconds": 0}


@pytest.mark.slow
def test_two_processes_give_the_same_numbers(found, run, processed):
    again = evaluate_run(run, processed_dir=processed, dataset=None, config=QUICK)
    for name, document in found.passes.items():
        assert again.passes[name] | {"seconds": 0} == document | {"seconds": 0}


def test_a_run_and_its_passes_are_kept_beside_their_checkpoints(found, run):
    found.keep()
    whole = json.loads((Path(run) / "evaluation.json").read_text())
    assert whole == found.document
    of_pass = json.loads((Path(run) / "pass01/combined/evaluation.json").read_text())
    assert of_pass == found.passes["pass01"]


def test_a_pass_that_is_done_is_not_evaluated_again(found, run, processed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "pass02" / "combined" / "schedule_jepa.pt").rename(tmp_path / "away")

    def again(config):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "cpu_count", lambda: 1)
            return evaluate_run(str(folder), processed_dir=processed, dataset=None, config=config)

    with pytest.raises(CheckpointError, match="pass02"):
        again(QUICK)
    (part,) = (folder / "evaluation.parts").iterdir()
    kept = json.loads(part.read_text())
    assert kept["part"]["trained"] == found.passes["pass01"]["trained"]
    part.write_text(json.dumps(kept | {"part": kept["part"] | {"warnings": ["as it was kept"]}}))
    (tmp_path / "away").rename(folder / "pass02" / "combined" / "schedule_jepa.pt")
    whole = again(QUICK)
    assert "as it was kept" in whole.document["warnings"]
    whole.keep()
    assert not part.parent.exists()


def test_a_quick_look_does_not_replace_the_record(tmp_path, caplog):
    record = {"batches": 100, "batch_size": 32, "datasets": {"a": {}, "b": {}}}
    assert keep(record, str(tmp_path)) == "kept"
    for less in ({"batches": 1}, {"datasets": {"a": {}}}):
        assert keep(record | less, str(tmp_path)) == "declined"
    assert keep(record | {"batches": 200}, str(tmp_path)) == "kept"
    assert "is left as it is" in caplog.text


@pytest.mark.parametrize("less", [{"draws": 100}, {"dataset_batches": 1}, {"training_batches": 1}])
def test_fewer_resamples_or_batches_of_anything_do_not_replace_the_record(tmp_path, less):
    def of(config):
        sizes = {"batches": config.batches, "batch_size": config.batch_size}
        return sizes | {"datasets": {"a": {}}, "settings": config.model_dump(mode="json")}

    assert keep(of(EvaluateConfig()), str(tmp_path)) == "kept"
    assert keep(of(EvaluateConfig(**less)), str(tmp_path)) == "declined"
    assert keep(of(EvaluateConfig(draws=2000, seed=7)), str(tmp_path)) == "kept"


def test_a_quick_probe_does_not_replace_that_of_an_older_version(tmp_path):
    def of(windows, **more):
        return {"tasks": {"a": {"train": windows, "test": windows}}, "skipped": {}} | more

    assert keep(of(4000), str(tmp_path)) == "kept"
    assert keep(of(10, settings=ProbeConfig().model_dump()), str(tmp_path)) == "declined"
    assert keep(of(3900, settings=ProbeConfig().model_dump()), str(tmp_path)) == "kept"
    assert keep(of(4000, settings=ProbeConfig(pool=10).model_dump()), str(tmp_path)) == "declined"


def test_a_fuller_evaluation_of_one_pass_stops_no_other(found, run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    fuller = found.passes["pass01"] | {"batches": 200, "settings": None}
    kept = [folder / name / "combined" / "evaluation.json" for name in ("pass01", "pass02")]
    kept[0].write_text(json.dumps(fuller))
    (folder / "evaluation.parts").mkdir()
    replace(found, url=str(folder)).keep()
    assert json.loads(kept[0].read_text()) == fuller
    assert json.loads(kept[1].read_text()) == found.passes["pass02"]
    assert not (folder / "evaluation.parts").exists()


def test_an_evaluation_says_of_which_checkpoint_and_windows_it_is_and_how_it_was_made(found, run):
    document = found.passes["pass02"]
    file = Path(run) / "pass02" / "combined" / "schedule_jepa.pt"
    assert document["checkpoint_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert document["corpus"] == load_checkpoint(file).provenance["datasets"]
    assert document["settings"] == QUICK.model_dump(mode="json")


def test_the_verdict_is_that_of_most_passes_with_the_interval_of_the_skill(found):
    document = found.passes["pass01"]
    made = [document | {"status": status} for status in ("collapsed", "collapsed", "learned")]
    status, sentence = verdict(made)
    assert status == "collapsed"
    assert sentence.startswith("collapsed: in 2 of 3 passes the embeddings collapse")
    assert "(the others: 1 learned)" in sentence
    assert "over 3 seeds" in sentence
    assert "95 % interval" in sentence


MOSTLY = ("learned", "learned", "collapsed", "untouched", "trivial", "no_skill")


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (MOSTLY, "collapsed"),
        (("learned",) * 3 + ("trivial",) * 2 + ("collapsed",), "trivial"),
        (("learned",) * 4 + ("trivial", "collapsed"), "learned"),
        (("no_skill",) * 3 + ("learned",) * 3, "no_skill"),
    ],
)
def test_a_run_has_learned_only_where_more_than_half_of_its_passes_have(found, statuses, status):
    document = found.passes["pass01"]
    document |= {"trained": document["trained"] | {"skill": 0.5}}
    said = verdict([document | {"status": each} for each in statuses])
    assert said[0] == status
    assert f"{statuses.count('learned')} learned" in said[1] or status == "learned"


def test_of_two_equally_frequent_statuses_the_worse_one_is_taken(found):
    document = found.passes["pass01"]
    made = [document | {"status": status} for status in ("learned", "no_skill")]
    assert verdict(made)[0] == "no_skill"


def with_control(document, value, passed):
    told = {"value": value, "interval": None, "expected": "", "passed": passed, "sentence": ""}
    return document | {"controls": document["controls"] | {"shuffled_slots": told}}


def test_a_control_that_cannot_tell_is_counted_apart(found):
    document = found.passes["pass01"]
    unclear, clear = with_control(document, None, None), with_control(document, 0.3, True)
    failed = with_control(document, 0.1, False)
    passes = {"a": unclear, "b": clear, "c": clear, "d": failed}
    told = summary("r", passes)["controls"]["shuffled_slots"]
    assert (told["passed"], told["judged"]) == (2, 3)
    assert told["value"]["mean"] == pytest.approx(0.7 / 3)
    told = summary("r", {"a": unclear, "b": unclear})["controls"]["shuffled_slots"]
    assert told == {"value": None, "passed": 0, "judged": 0}


def test_skill_that_is_not_sure_over_seeds_is_not_learning(found):
    document = found.passes["pass01"] | {"status": "learned"}
    made = [document | {"trained": document["trained"] | {"skill": skill}} for skill in (0.1, 0.9)]
    status, sentence = verdict(made)
    assert status == "no_skill"
    assert sentence.startswith("no skill: 2 of 2 passes learned, but the skill over seeds is not")
    assert "the others" not in sentence
    sure = [document | {"trained": document["trained"] | {"skill": s}} for s in (0.5, 0.51)]
    status, sentence = verdict(sure)
    assert status == "learned"
    assert sentence.startswith("learned: in 2 of 2 passes predictions of hidden slots are better")


def test_a_dataset_that_one_pass_lacks_is_spread_over_the_others(found):
    one, two = found.passes.values()
    document = summary("r", {"pass01": one | {"datasets": {}}, "pass02": two})
    assert document["datasets"][JIRA]["skill"]["n"] == 1


def test_a_folder_without_confirmation_is_none(tmp_path):
    assert confirmation(str(tmp_path)) is None
    assert confirmation(str(tmp_path / "schedule_jepa.pt")) is None
    with pytest.raises(CheckpointError, match="it is no confirmation run"):
        evaluate_run(str(tmp_path), processed_dir="x", dataset=None, config=QUICK)


def test_an_unfinished_confirmation_says_how_far_it_is(tmp_path):
    (tmp_path / "confirm.yaml").write_text("steps: 5\n")
    write_json(tmp_path / "pass01" / "report.json", {})
    (tmp_path / "pass02").mkdir()
    with pytest.raises(CheckpointError, match="unfinished, 1 passes are done; the same"):
        confirmation(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "{}", '{"passes": []}', '{"passes": [1]}', '{"passes": 5}', '{"passes": "p"}',
        '{"passes": [{"pass": "../../x"}]}', '{"passes": [{"pass": 1}]}',
    ],
)  # fmt: skip
def test_a_damaged_confirmation_is_named(tmp_path, text):
    (tmp_path / "confirmation.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"confirmation\.json .* it is damaged"):
        confirmation(str(tmp_path))


def test_a_pass_without_its_checkpoint_is_named(tmp_path, processed):
    write_json(tmp_path / "confirmation.json", {"run_id": "r", "passes": [{"pass": "pass01"}]})
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*/pass01/combined"):
        evaluate_run(str(tmp_path), processed_dir=processed, dataset=None, config=QUICK)


def test_an_unfinished_training_says_how_far_it_is(tmp_path, processed):
    (tmp_path / "config.yaml").write_text("steps: 1000\n")
    write_state(str(tmp_path), {"step": 400}, {}, keep=1)
    with pytest.raises(CheckpointError, match="unfinished, 400 of 1,000 steps are saved; the same"):
        evaluate(str(tmp_path), processed_dir=processed, dataset=None, config=QUICK)
    (tmp_path / "config.yaml").write_text("]")
    with pytest.raises(CheckpointError, match="400 of an unknown number of steps"):
        evaluate(f"{tmp_path}/", processed_dir=processed, dataset=None, config=QUICK)


def test_only_the_folder_of_a_training_gets_an_evaluation(tmp_path):
    checkpoint = tmp_path / "schedule_jepa.pt"
    assert folder_of_training(str(checkpoint)) is None
    (tmp_path / "provenance.json").write_text("{}")
    assert folder_of_training(str(checkpoint)) == str(tmp_path)
    assert folder_of_training(str(tmp_path / "states" / "step-00000001.pt")) is None


def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        assert keep({"a": 1}, str(tmp_path / "file")) == "failed"
    (record,) = caplog.records
    assert "file/evaluation.json cannot be written" in record.getMessage()
    assert keep({"a": 1}, str(tmp_path)) == "kept"
    assert (tmp_path / "evaluation.json").exists()
