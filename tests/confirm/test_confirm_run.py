"""What needs no Ray: a run that is finished, or is nearly, or may not go on."""

import json
import sys
from pathlib import Path

import pytest

from jepa_ray.cli.confirm import lines, next_commands
from jepa_ray.config import ConfirmConfig
from jepa_ray.confirm import confirm
from jepa_ray.confirm.begun import begin
from jepa_ray.confirm.datasets import listed
from jepa_ray.confirm.plan import passes
from jepa_ray.confirm.results import confirmation
from jepa_ray.confirm.trial import stopped_at
from jepa_ray.errors import ConfigError, CorpusError, UsageError
from jepa_ray.storage import exclusive
from jepa_ray.train.jobs import plan
from tests.confirm.runs import (
    CONFIG,
    GH,
    STARTED,
    corpus,
    flags,
    manifest,
    planned,
    pretend_finished,
    pretend_trained,
)
from tests.prepared_corpus import JIRA, issue_lines, write_prepared


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> str:
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def begun(processed, tmp_path) -> Path:
    """A run whose passes are finished, but its driver was killed before it said so."""
    run = tmp_path / "runs" / "a"
    begin(str(run), CONFIG, listed(processed, "combined"))
    for each in planned(processed, run):
        pretend_finished(each)
    return run


def ask(processed: str, run: Path, config: ConfirmConfig = CONFIG, **more: str):
    return confirm(
        processed_dir=processed, storage_path=str(run.parent), run_id=run.name, config=config,
        **more,
    )  # fmt: skip


def test_what_is_finished_is_put_together_without_ray(processed, begun, monkeypatch):
    monkeypatch.setitem(sys.modules, "jepa_ray.confirm.trials", None)  # an import of it fails
    found = ask(processed, begun)
    assert [each["pass"] for each in found["passes"]] == ["pass01", "pass02"]
    assert found == json.loads((begun / "confirmation.json").read_text())
    assert found["datasets"][JIRA]["status"] == "trained"


def test_a_finished_run_gives_its_result_and_writes_nothing(processed, begun):
    found = ask(processed, begun)
    before = {path: path.stat().st_mtime_ns for path in begun.rglob("*")}
    assert ask(processed, begun) == found
    assert {path: path.stat().st_mtime_ns for path in begun.rglob("*")} == before


def test_a_finished_run_of_other_settings_is_refused(processed, begun):
    ask(processed, begun)
    other = ConfirmConfig.model_validate(CONFIG.document() | {"seeds": [1, 3]})
    with pytest.raises(ConfigError, match=r"seeds was \[1, 2\], is \[1, 3\]"):
        ask(processed, begun, other)
    with pytest.raises(ConfigError, match=f"dataset {GH} was .*, is not trained on"):
        ask(processed, begun, dataset=JIRA)


def test_a_second_driver_is_refused(processed, begun):
    with exclusive(begun, "x"), pytest.raises(UsageError, match="another process is at work"):
        ask(processed, begun)


def test_a_damaged_confirmation_is_written_anew(processed, begun):
    found = ask(processed, begun)
    (begun / "confirmation.json").write_text("{")
    assert ask(processed, begun)["spread"] == found["spread"]


@pytest.mark.parametrize("text", ["[]", "{}", "3", '{"passes": []}'])
def test_a_confirmation_of_another_form_is_written_anew(processed, begun, text):
    found = ask(processed, begun)
    (begun / "confirmation.json").write_text(text)
    assert ask(processed, begun)["spread"] == found["spread"]


def other(change: str, value: object):
    def changed(found: dict) -> dict:
        return found | {change: value}

    return changed


def of_another_run(found: dict) -> dict:
    for each in found["passes"]:
        for about in each["checkpoints"].values():
            about["val_loss"] = 0.123
    return found | {"run_id": "other", "seeds": [8, 9], "steps": 7}


@pytest.mark.parametrize(
    "change",
    [
        other("passes", 5), other("passes", None), other("passes", [{}, {}]),
        other("spread", None), other("datasets", []), other("seconds", None), of_another_run,
    ],
)  # fmt: skip
def test_a_confirmation_that_does_not_follow_from_the_reports_is_written_anew(
    processed, begun, change
):
    right = ask(processed, begun)
    file = begun / "confirmation.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    found = ask(processed, begun)
    assert found | {"ended_utc": right["ended_utc"]} == right == found | times(right)
    assert json.loads(file.read_text()) == found


def times(found: dict) -> dict:
    return {key: found[key] for key in ("ended_utc", "seconds")}


def test_a_report_that_is_newer_than_the_confirmation_gets_into_it(processed, begun):
    ask(processed, begun)
    path = begun / "pass01" / "report.json"
    report = json.loads(path.read_text())
    report["checkpoints"][JIRA]["val_loss"] = 0.25
    path.write_text(json.dumps(report))
    assert ask(processed, begun)["passes"][0]["checkpoints"][JIRA]["val_loss"] == 0.25


def test_seconds_and_dates_of_another_version_do_not_make_it_anew(processed, begun):
    right = ask(processed, begun)
    file = begun / "confirmation.json"
    file.write_text(json.dumps(right | {"seconds": 0.25, "ended_utc": "then"}))
    assert ask(processed, begun)["seconds"] == 0.25


def test_a_dataset_that_is_prepared_beside_a_finished_run_of_all_is_left_out(tmp_path, caplog):
    processed, run = corpus(tmp_path), tmp_path / "runs" / "a"
    begin(str(run), CONFIG, listed(processed, "combined"))
    for each in planned(processed, run):
        pretend_finished(each)
    manifest(Path(processed), "new")
    assert list(ask(processed, run)["datasets"]) == [GH, JIRA]
    assert "begun without new" in caplog.text


def test_a_finished_run_that_has_lost_a_checkpoint_is_not_finished(processed, begun, monkeypatch):
    ask(processed, begun)
    last = planned(processed, begun)[1]
    (Path(last.jobs[0].folder) / "schedule_jepa.pt").unlink()
    assert not last.finished
    monkeypatch.setitem(sys.modules, "jepa_ray.confirm.trials", None)  # an import of it fails
    with pytest.raises(ImportError):  # so it goes on to train
        ask(processed, begun)


def test_what_killed_writes_left_is_removed(processed, begun):
    (begun / ".tmp-1").write_text("")
    ask(processed, begun)
    assert not (begun / ".tmp-1").exists()


def test_fewer_steps_than_legs_are_refused_before_anything_begins(processed, tmp_path):
    config = ConfirmConfig.model_validate({"seeds": [1, 2], "train": {"steps": 1}})
    with pytest.raises(ConfigError, match=f"steps is 1, .* each of the 2 datasets \\({GH}, {JIRA}"):
        ask(processed, tmp_path / "runs" / "a", config)
    assert not (tmp_path / "runs").exists()


def test_a_dataset_that_cannot_be_split_ends_it_before_anything_begins(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", lines=issue_lines(12, projects=1))
    config = ConfirmConfig.model_validate({"seeds": [5], "train": {"split": {"mode": "grouped"}}})
    with pytest.raises(CorpusError, match=f"{JIRA}: with seed 5"):
        ask(str(tmp_path / "p"), tmp_path / "runs" / "a", config)
    assert not (tmp_path / "runs").exists()


def test_the_folder_of_a_single_training_is_no_place_for_passes(processed, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.yaml").write_text("steps: 1\n")
    with pytest.raises(ConfigError, match="holds a single training: choose another --run-id"):
        ask(processed, tmp_path / "a")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["config.yaml"]


def test_a_dataset_called_as_the_training_over_all_is_refused(processed, tmp_path):
    with pytest.raises(CorpusError, match="cannot be called combined"):
        passes(str(tmp_path), processed, ["combined"], CONFIG)


def test_a_pass_is_what_its_seed_makes_of_the_settings(processed, tmp_path):
    config = ConfirmConfig.model_validate(CONFIG.document() | {"seeds": [4, 9]})
    second = planned(processed, tmp_path, config)[1]
    assert (second.name, second.seed, second.folder) == ("pass02", 9, str(tmp_path / "pass02"))
    assert [Path(job.folder).name for job in second.jobs] == [*second.order, "combined"]
    assert {(job.config.seed, job.config.split.seed) for job in second.jobs} == {(9, 9)}
    assert [job.config.mixing for job in second.jobs] == 2 * ["interleaved"] + ["sequential"]
    assert second.jobs[-1].names == second.order
    assert second.jobs[-1].config.split.mode == "random_resplit"


def test_all_trainings_of_a_pass_read_their_windows_in_the_way_of_the_run(processed, tmp_path):
    each = planned(processed, tmp_path)[0].pinned(mode="streaming")
    assert [plan(job).mode for job in each.jobs] == 3 * ["streaming"]


def test_the_command_prints_a_finished_run_as_tables_and_as_json(command, processed, begun):
    args = ("confirm", "--processed-dir", processed, "--storage-path", begun.parent, "--run-id",
            "a", "--seeds", "1,2", *flags())  # fmt: skip
    found = command(*args)
    assert found.code == 0, found.err
    assert "pass02" in found.out
    assert "no gate failed" in found.out
    assert "collapsing: none" in found.out
    assert "6 trainings of 6 steps, 18 s in all" in found.out
    assert "combined: validation loss 0.500000 (0.500000 and 0.500000), skill 0.250 " in found.out
    assert f"jepa-ray verify {begun}" in found.out
    assert "starting Ray" not in found.err
    as_json = command(*args, "--json")
    assert as_json.json == json.loads((begun / "confirmation.json").read_text())


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (("--seeds", "1,1"), "seeds: 1 is there twice"),
        (("--seeds", "1", "--set", "train.seed=3"), "train.seed is that of the pass"),
        (("--preset", "nothing"), "'reference' or 'robust'"),
        (("--dataset", "nothing"), "dataset 'nothing' is not prepared"),
        (("--set", "train.workers=2", "--set", "train.batch_size=7"), "must divide batch_size"),
    ],
)
def test_a_mistake_is_one_message(command, processed, tmp_path, flag, said):
    found = command(
        "confirm", "--processed-dir", processed, "--storage-path", tmp_path / "r", "--run-id", "a",
        *flag,
    )  # fmt: skip
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err
    assert not (tmp_path / "r").exists()


def test_the_training_that_an_error_names_is_the_one_at_fault(processed, tmp_path):
    each = planned(processed, tmp_path)[0]
    pretend_trained(each.jobs[0])
    assert stopped_at(each, "the loss is not finite") == each.order[1]
    assert stopped_at(each, f"{each.jobs[2].folder}/states/x.pt is damaged") == "combined"
    for job in each.jobs:
        pretend_trained(job)
    assert stopped_at(each, "no space") == "its report"


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"pass": "pass01", "checkpoints": {}}'])
def test_a_damaged_report_is_named(processed, begun, text):
    (begun / "pass01" / "report.json").write_text(text)
    with pytest.raises(ConfigError, match=r"pass01/report.json is damaged: delete it"):
        ask(processed, begun)


@pytest.mark.parametrize(
    "change", [{"seed": 7}, {"train_loss": None}, {"order": [JIRA]}, {"checkpoints": 3}]
)
def test_a_report_of_another_form_or_pass_is_named(processed, begun, change):
    path = begun / "pass02" / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ConfigError, match=r"pass02/report.json is damaged: delete it"):
        ask(processed, begun)


def test_trainings_that_collapse_are_named_and_so_are_those_with_nothing_to_tell_apart(
    processed, tmp_path
):
    reports = [pretend_finished(each) for each in planned(processed, tmp_path)]
    reports[0]["checkpoints"][GH]["collapsing"] = True
    for report in reports:
        report["checkpoints"][JIRA]["untrained_slot_std"] = 0.0
    said = lines(whole(reports))
    assert f"collapsing: {GH} (pass01)" in said
    assert any(line.endswith(f"windows are all alike: {JIRA} (all passes)") for line in said)


def with_losses(processed, folder, losses, skills):
    config = ConfirmConfig.model_validate(CONFIG.document() | {"seeds": range(len(losses))})
    passes_ = planned(processed, folder, config)
    return [
        pretend_finished(each, val_loss=loss, skill=skill)
        for each, loss, skill in zip(passes_, losses, skills, strict=True)
    ]


def test_an_interval_is_shown_as_far_as_it_is_possible(processed, tmp_path):
    reports = with_losses(processed, tmp_path, (0.1, 0.9, 0.5), (-9.0, 0.9, 0.9))
    said = lines(whole(reports))
    assert "combined: validation loss 0.500000 (0.000000 to 1.4" in said[0]
    assert " to 1.000), RankMe 9.0 (9.0 to 9.0)" in said[0]
    assert any("t-interval over 3 seeds" in line for line in said)


def test_two_passes_have_a_range_and_one_has_nothing_in_brackets(processed, tmp_path):
    two = lines(whole(with_losses(processed, tmp_path / "2", (0.1, 0.9), (-9.0, 0.9))))
    assert "combined: validation loss 0.500000 (0.100000 and 0.900000), skill -4.050" in two[0]
    assert "In brackets: the values of 2 passes; 3 or more have an interval." in two
    one = lines(whole(with_losses(processed, tmp_path / "1", (0.1,), (0.9,))))
    assert one[0] == "combined: validation loss 0.100000, skill 0.900, RankMe 9.0"
    assert not any("brackets" in line for line in one)


def test_a_loss_that_fell_after_its_leg_reads_as_improved(processed, tmp_path):
    found = whole(with_losses(processed, tmp_path, (0.1, 0.9, 0.5), (0.1, 0.2, 0.3)))
    spread = found["spread"]["combined"]["val_loss"]
    of = {"learned": spread, "final": spread, "learned_skill": spread, "final_skill": spread}
    fell = of | {"forgetting": spread | {"mean": -0.25, "low": -0.3, "high": -0.2}}
    rose = of | {"forgetting": spread | {"mean": 0.25, "low": 0.2, "high": 0.3}}
    said = lines(found | {"forgetting": {GH: fell, JIRA: rose}})
    assert any("improved: it fell by 0.250000 (0.200000 to 0.300000)" in line for line in said)
    assert any("forgotten: it rose by 0.250000 (0.200000 to 0.300000)" in line for line in said)
    assert not any("where others came after it" in line for line in said)
    fewer = rose | {"forgetting": spread | {"mean": 0.25, "low": 0.2, "high": 0.3, "n": 2}}
    said = lines(found | {"forgetting": {GH: fewer}})
    assert any("(in the 2 passes where others came after it)" in line for line in said)


def test_what_was_not_trained_is_said_once_in_one_line(processed, tmp_path):
    found = whole(with_losses(processed, tmp_path, (0.1,), (0.9,)))
    why = {"status": "blocked", "reason": "a licence"}
    found["datasets"] = {"a": why, "b": why | {"status": "missing"}}
    (line,) = [each for each in lines(found) if "not trained" in each]
    assert line == "not trained: a (blocked: a licence); b (missing: a licence)"


def test_the_next_commands_are_whole_and_in_their_order(processed, tmp_path):
    found = whole(with_losses(processed, tmp_path, (0.1,), (0.9,)))
    assert next_commands(found, "/r/a b")[2:] == [
        "  jepa-ray verify '/r/a b'",
        "  jepa-ray evaluate '/r/a b' --processed-dir /p",
        "  jepa-ray probe '/r/a b' --processed-dir /p",
        "  jepa-ray report '/r/a b'",
    ]


def test_a_result_that_is_written_anew_keeps_the_seconds_of_the_trainings(processed, begun):
    first = ask(processed, begun)
    (begun / "confirmation.json").unlink()
    again = ask(processed, begun)
    assert first["seconds"] == again["seconds"] == pytest.approx(3.0 * 6)


def whole(reports):
    return confirmation(
        run_id="a", processed_dir="/p", config=CONFIG, datasets={}, reports=reports,
        started=STARTED,
    )  # fmt: skip
