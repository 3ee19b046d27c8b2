"""verify: a run that is whole passes, and every tampering is found where it was done."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
import yaml

from jepa_ray.confirm.order import pass_order
from jepa_ray.confirm.verify import verify
from jepa_ray.errors import CorpusError, UsageError
from tests.confirm.made_run import COMBINED, NAMES, SEEDS, Made, made_runs, write_json
from tests.prepared_corpus import JIRA, issue_lines, write_prepared
from tests.train.test_train_resume import flip_a_bit

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]

PT = "schedule_jepa.pt"
OF_A_TRAINING = [
    "loads",
    "files",
    "settings",
    "datasets",
    "windows",
    "numbers",
    "untrained",
    "loss",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory, ray_session) -> Made:
    return made_runs(tmp_path_factory.getbasetemp())


@pytest.fixture
def run(made, tmp_path) -> Path:
    """A copy of the sequential run, to tamper with."""
    return Path(shutil.copytree(made.sequential, tmp_path / "run"))


def failed(run: Path, **options: Any) -> dict[tuple[str, str], str]:
    """What was found, by place and check."""
    checks = verify(str(run), **options)
    return {(check.where, check.what): check.detail for check in checks if not check.ok}


def edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_text())
    change(document)
    write_json(path, document)


def edit_report(run: Path, change: Any) -> None:
    """The same in the report of the first pass and in confirmation.json, as a forger would."""
    edit(run / "pass01/report.json", change)
    edit(run / "confirmation.json", lambda document: change(document["passes"][0]))


def test_a_whole_run_passes_wherever_it_was_copied_to(run):
    told = []
    checks = verify(str(run), progress=told.append)
    assert [str(check) for check in checks if not check.ok] == []
    assert told == checks
    assert [check.what for check in checks if check.where == "pass02"] == [
        "checkpoints", "report", "order", "legs"
    ]  # fmt: skip
    for name in NAMES:
        assert [c.what for c in checks if c.where == f"pass01/{name}"] == OF_A_TRAINING
    combined = [c.what for c in checks if c.where == f"pass01/{COMBINED}"]
    assert combined == [*OF_A_TRAINING, "first and last leg"]
    assert all("to the bit" in check.detail for check in checks if check.what == "loss")


def edit_metrics(run: Path, name: str, step: int, change: dict[str, Any]) -> None:
    """The same in a row of a training's metrics: 0 is the untrained model, -1 the trained one."""
    metrics = run / "pass01" / name / "metrics.jsonl"
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    rows[step].update(change)
    metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize(
    ("key", "recorded", "value"),
    [
        ("val_loss", "untrained_loss", 99.0),
        ("rankme", "untrained_rankme", 64.0),
        ("slot_std", "untrained_slot_std", 1.0),
    ],
)
def test_a_forged_number_of_the_untrained_model_is_found_by_computing_it(run, key, recorded, value):
    edit_metrics(run, JIRA, 0, {key: value})
    edit_report(run, lambda report: report["checkpoints"][JIRA].update({recorded: value}))
    found = failed(run)
    assert f"{key} is recorded as {value}" in found[f"pass01/{JIRA}", "untrained"]
    assert (f"pass01/{JIRA}", "loss") not in found


@pytest.mark.parametrize("key", ["slot_std", "cosine_to_mean", "skill", "rankme"])
def test_a_number_that_is_forged_by_a_percent_of_what_is_left_of_it_is_found(run, key):
    report = json.loads((run / "pass01/report.json").read_text())
    value = report["checkpoints"][JIRA][key]
    left = 1 - value if key in {"cosine_to_mean", "skill"} else value
    edit_metrics(run, JIRA, -1, {key: value + 0.01 * left})
    edit_report(run, lambda r: r["checkpoints"][JIRA].update({key: value + 0.01 * left}))
    assert f"{key} is recorded as" in failed(run)[f"pass01/{JIRA}", "loss"]


def test_a_collapse_that_is_denied_or_made_up_is_found(run):
    report = json.loads((run / "pass01/report.json").read_text())
    denied = not report["checkpoints"][JIRA]["collapsing"]
    edit_metrics(run, JIRA, -1, {"collapsing": denied})
    edit_report(run, lambda report: report["checkpoints"][JIRA].update(collapsing=denied))
    assert set(failed(run)) == {(f"pass01/{JIRA}", "numbers")}


def test_forged_losses_before_the_first_leg_are_found(run):
    def change(document):
        document["legs"][0]["losses"][JIRA] = 0.5

    edit_report(run, change)
    edit(run / "pass01" / COMBINED / "legs.json", change)
    found = failed(run)
    assert set(found) == {(f"pass01/{COMBINED}", "first and last leg")}
    assert f"the loss on {JIRA} at step 0" in found[f"pass01/{COMBINED}", "first and last leg"]


def test_a_sequential_run_that_says_nothing_of_its_legs_is_found(run):
    edit(run / "confirmation.json", lambda document: document.update(forgetting=None))
    assert "forgetting is None" in failed(run)["confirmation.json", "spread"]


def test_a_spread_too_many_is_found(run):
    edit(run / "confirmation.json", lambda document: document["spread"].update(epa={}))
    assert failed(run) == {("confirmation.json", "spread"): "epa of spread is too many"}


def test_other_reasons_than_when_the_run_began_are_found(run):
    def change(document):
        document["datasets"]["epa"]["reason"] = "nobody asked"

    edit(run / "confirmation.json", change)
    assert "reason of epa" in failed(run)["confirmation.json", "datasets"]


def test_passes_that_read_their_windows_in_different_ways_are_found(run):
    edit(run / "pass02" / JIRA / "provenance.json", lambda found: found.update(load_mode="other"))
    assert f"passes read {JIRA} in different ways" in failed(run)["confirmation.json", "load mode"]


def test_a_form_of_another_version_is_found(run):
    edit(run / "confirmation.json", lambda document: document.update(format_version=2))
    assert "format_version is 2" in failed(run)["confirmation.json", "settings"]


def test_a_confirmation_that_does_not_say_where_its_corpus_is_is_a_finding(run):
    edit(run / "confirmation.json", lambda document: document.pop("processed_dir"))
    assert failed(run) == {("confirmation.json", "reads"): "processed_dir is missing"}


def test_a_run_of_mixed_datasets_and_another_objective_passes(made):
    assert failed(made.mixed) == {}


def test_each_check_is_a_line_and_a_failed_one_ends_with_exit_code_1(command, run):
    found = command("verify", run)
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert all(line.startswith("ok ") for line in lines[:-1])
    assert lines[-1] == f"All {len(lines) - 1} checks are ok."
    (run / "pass01" / JIRA / PT).unlink()
    found = command("verify", run)
    assert found.code == 1
    assert f"FAILED  pass01  checkpoints: missing: {JIRA}" in found.out
    assert len(found.out.splitlines()) == len(lines)
    assert "checks FAILED" in found.out.splitlines()[-1]


def test_the_json_has_all_checks(command, run):
    edit_report(run, lambda report: report["order"].reverse())
    found = command("verify", run, "--json")
    assert found.code == 1
    wrong = [check for check in found.json["checks"] if not check["ok"]]
    assert found.json["failed"] == len(wrong) > 0
    assert set(found.json["checks"][0]) == {"where", "what", "ok", "detail"}


def test_a_flipped_bit_is_found_and_everything_else_is_checked_all_the_same(run):
    flip_a_bit(str(run / "pass01" / JIRA / PT))
    found = failed(run)
    assert {where for where, _ in found} == {f"pass01/{JIRA}"}
    assert "checksum" in found[f"pass01/{JIRA}", "loads"]
    assert "does not load" in found[f"pass01/{JIRA}", "loss"]


def test_swapped_checkpoints_of_two_passes_are_found(run):
    one, two = (run / name / "gharchive" / PT for name in ("pass01", "pass02"))
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)
    found = failed(run)
    for name, seed, other in (("pass01", *SEEDS), ("pass02", *SEEDS[::-1])):
        said = found[f"{name}/gharchive", "settings"]
        assert said == f"seed is {other}, should be {seed}"
        assert (f"{name}/gharchive", "loss") in found


def test_an_edited_loss_is_found(run):
    def change(report):
        report["checkpoints"][JIRA]["val_loss"] -= 2e-6

    edit_report(run, change)
    found = failed(run)
    assert "val_loss is recorded as" in found[f"pass01/{JIRA}", "loss"]
    assert (f"pass01/{JIRA}", "numbers") in found
    assert ("confirmation.json", "spread") in found


def report_loss(run: Path) -> float:
    report = json.loads((run / "pass01/report.json").read_text())
    found: float = report["checkpoints"][JIRA]["val_loss"]
    return found


def test_a_loss_that_is_edited_everywhere_is_found_by_computing_it(run):
    def change(report):
        report["checkpoints"][JIRA]["val_loss"] -= 2e-6

    edit_report(run, change)
    edit_metrics(run, JIRA, -1, {"val_loss": report_loss(run)})
    found = failed(run)
    assert (f"pass01/{JIRA}", "numbers") not in found
    assert "comes out as" in found[f"pass01/{JIRA}", "loss"]


@pytest.mark.parametrize("key", ["skill", "rankme", "untrained_loss", "train_loss", "slot_std"])
def test_any_other_number_of_a_report_that_is_edited_is_found(run, key):
    edit_report(run, lambda report: report["checkpoints"][COMBINED].update({key: 0.5}))
    assert (f"pass01/{COMBINED}", "numbers") in failed(run)


def test_a_report_that_differs_from_the_confirmation_is_found(run):
    edit(run / "pass02/report.json", lambda report: report.update(workers=7))
    assert set(failed(run)) == {("pass02", "report")}


def test_missing_and_foreign_checkpoints_are_named(run):
    (run / "pass01" / COMBINED / PT).unlink()
    shutil.copytree(run / "pass02" / JIRA, run / "pass02" / "epa")
    found = failed(run)
    assert found["pass01", "checkpoints"] == f"missing: {COMBINED}"
    assert found["pass02", "checkpoints"] == "not of the run: epa"
    assert "no checkpoint at" in found[f"pass01/{COMBINED}", "loads"]


def test_a_pass_too_many_or_too_few_is_found(run):
    shutil.move(run / "pass02", run / "pass03")
    found = failed(run)
    assert "['pass01', 'pass03']" in found["confirmation.json", "passes"]
    assert (f"pass02/{JIRA}", "loads") in found
    assert not any(where.startswith("pass01") for where, _ in found)


def test_a_corpus_that_was_prepared_anew_is_found(made, run, tmp_path):
    anew = tmp_path / "anew"
    write_prepared(anew, tmp_path / "raw", lines=issue_lines(149))
    shutil.copytree(Path(made.processed) / "gharchive", anew / "gharchive")
    found = failed(run, processed_dir=str(anew))
    assert f"the fingerprint of {JIRA}" in found["confirmation.json", "datasets"]
    for name in (JIRA, COMBINED):
        assert f"the fingerprint of {JIRA}" in found[f"pass02/{name}", "datasets"]
        assert (f"pass02/{name}", "windows") in found
    assert not any(where.endswith("gharchive") for where, _ in found)


def test_a_training_window_that_was_exchanged_is_found(made, run, tmp_path):
    corpus = Path(shutil.copytree(made.processed, tmp_path / "corpus"))
    file = next((corpus / JIRA / "windows").glob("*.parquet"))
    table = pq.read_table(file)
    pq.write_table(table.take(list(range(len(table)))[::-1]), file)
    found = failed(run, processed_dir=str(corpus))
    assert f"{JIRA}/windows/{file.name} was exchanged" in found["confirmation.json", "windows"]


def test_a_corpus_that_is_elsewhere_now_is_given(made, run, tmp_path):
    shutil.copytree(made.processed, tmp_path / "moved")
    edit(run / "confirmation.json", lambda document: document.update(processed_dir="/nowhere"))
    with pytest.raises(CorpusError, match=r"/nowhere: .* --processed-dir"):
        verify(str(run))
    assert failed(run, processed_dir=str(tmp_path / "moved")) == {}


def test_another_seed_or_setting_than_the_run_was_told_is_found(run):
    settings = yaml.safe_load((run / "confirm.yaml").read_text())
    settings["seeds"][1] = 5
    settings["train"]["lr"] = 0.5
    (run / "confirm.yaml").write_text(yaml.safe_dump(settings))
    found = failed(run)
    assert found[f"pass01/{JIRA}", "settings"] == "lr is 0.001, should be 0.5"
    assert found[f"pass02/{JIRA}", "settings"] == f"seed is {SEEDS[1]}, should be 5"
    assert ("confirmation.json", "settings") in found
    assert ("pass02", "report") in found


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "boom")


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_pickle_bomb_does_not_go_off(run, tmp_path, wrapped):
    target, file = tmp_path / "boom", run / "pass01" / JIRA / PT
    if wrapped:
        torch.save({"config": Bomb(target)}, file)
    else:
        file.write_bytes(pickle.dumps(Bomb(target)))
    found = failed(run)
    assert "is not a checkpoint, or damaged" in found[f"pass01/{JIRA}", "loads"]
    assert not target.exists()


def test_a_weight_that_is_not_finite_is_found(run):
    file = run / "pass01" / JIRA / PT
    document = torch.load(file, weights_only=True)
    document["predictor"]["mask_token"][0] = torch.nan
    torch.save(document, file)
    assert "not finite" in failed(run)[f"pass01/{JIRA}", "loads"]


def test_weights_of_another_training_under_the_right_settings_are_found(run):
    file = run / "pass01" / COMBINED / PT
    document = torch.load(file, weights_only=True)
    document["predictor"]["mask_token"][0] += 0.1
    torch.save(document, file)
    found = failed(run)
    assert set(found) == {
        (f"pass01/{COMBINED}", "files"),
        (f"pass01/{COMBINED}", "loss"),
        (f"pass01/{COMBINED}", "first and last leg"),
    }


def test_another_order_than_that_of_the_seed_is_found(run):
    edit_report(run, lambda report: report["order"].reverse())
    found = failed(run)
    assert {("pass01", "order"), ("pass01", "legs")} <= set(found)
    assert "the order of the legs" in found[f"pass01/{COMBINED}", "datasets"]


def test_losses_after_legs_that_were_edited_are_found(run):
    def change(report):
        report["legs"][-1]["losses"][JIRA] += 1.0

    edit_report(run, change)
    found = failed(run)
    assert found["pass01", "legs"] == "the report differs from legs.json"
    assert f"the loss on {JIRA}" in found[f"pass01/{COMBINED}", "first and last leg"]
    assert "of public_jira" in found["confirmation.json", "spread"]


def test_counts_of_windows_that_were_edited_are_found(run):
    edit_report(run, lambda report: report["checkpoints"][JIRA].update(val_windows=1))
    assert "val_windows is 1" in failed(run)[f"pass01/{JIRA}", "windows"]


def test_files_of_another_form_are_findings(run):
    (run / "pass01/report.json").write_text("[]")
    found = failed(run)
    assert "damaged" in found["pass01", "report"]
    (run / "confirmation.json").write_text("{")
    found = failed(run)
    assert list(found) == [("confirmation.json", "reads")]


def test_a_run_that_is_not_there_or_not_finished_is_a_mistake(command, run, tmp_path):
    found = command("verify", tmp_path / "nothing")
    assert found.code == 2
    assert "nothing: give the folder of a run" in found.err
    (run / "confirmation.json").unlink()
    with pytest.raises(UsageError, match="is not finished"):
        verify(str(run))


def test_the_order_of_a_pass_is_a_function_of_its_seed_alone():
    names = [f"d{i}" for i in range(11)]
    assert pass_order(names, 7) == pass_order(names[::-1], 7)
    assert sorted(pass_order(names, 7)) == sorted(names)
    assert len({tuple(pass_order(names, seed)) for seed in range(20)}) == 20
