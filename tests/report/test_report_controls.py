"""Negative controls on the page, and those that no pass could tell."""

import json
from random import Random

import pytest

from jepa_ray.report.blocks import Table, Text
from jepa_ray.report.results import open_results
from jepa_ray.report.sections import beyond
from jepa_ray.report.sections.sample import sample
from jepa_ray.report.sections.verdict import controls
from tests.report.made_results import DATASETS, evaluation, spread, write_run, write_training

UNCLEAR = {
    "value": None, "interval": None, "expected": "skill falls", "passed": None,
    "sentence": "cannot tell: no window changes when its slots change places",
}  # fmt: skip


def training(folder, change):
    """Results of a training whose evaluation was changed."""
    document = evaluation(DATASETS[:1], Random(1))
    change(document)
    write_training(folder, datasets=DATASETS[:1], evaluated=False, probed=False)
    (folder / "evaluation.json").write_text(json.dumps(document))
    return open_results(str(folder))


def run(folder, over_passes, *of_passes):
    """Results of a run with its shuffled_slots, and those of its passes from the first on."""
    write_run(folder, datasets=DATASETS[:1], probed=False)
    document = json.loads((folder / "evaluation.json").read_text())
    document["controls"]["shuffled_slots"] = over_passes
    for one, control in zip(document["passes"].values(), of_passes, strict=False):
        one["controls"]["shuffled_slots"] = control
    (folder / "evaluation.json").write_text(json.dumps(document))
    return open_results(str(folder))


def row(results):
    """The row of shuffled_slots, and the tone of its outcome."""
    table = next(b for b in beyond._controls(results) if isinstance(b, Table))
    at = next(i for i, cells in enumerate(table.rows) if cells[0] == "shuffled slots")
    return table.rows[at], table.tones[at, 4]


def test_a_control_that_one_checkpoint_cannot_tell_is_not_judged(tmp_path):
    found = training(tmp_path, lambda d: d["controls"].update(shuffled_slots=UNCLEAR))
    assert row(found) == (
        ("shuffled slots", UNCLEAR["sentence"], "skill falls", "\N{EN DASH}", "not judged"), "",
    )  # fmt: skip
    assert controls(found) == (2, 2)


def test_a_control_that_no_pass_can_tell_is_neither_red_nor_counted(tmp_path):
    found = run(tmp_path, {"value": None, "passed": 0, "judged": 0}, *[UNCLEAR] * 6)
    cells, tone = row(found)
    assert (cells[1], cells[4], tone) == (UNCLEAR["sentence"], "not judged", "")
    assert controls(found) == (2, 2)


@pytest.mark.parametrize(("passed", "tone", "counted"), [(4, "good", (3, 3)), (3, "bad", (2, 3))])
def test_a_control_is_judged_by_the_passes_that_can_tell(tmp_path, passed, tone, counted):
    over = {"value": spread(0.3, 0.02, n=4), "passed": passed, "judged": 4}
    found = run(tmp_path, over, UNCLEAR, UNCLEAR)
    cells, seen = row(found)
    assert (cells[1], cells[4], seen) == ("Slots in random order.", f"{passed} of 4 passes", tone)
    assert controls(found) == counted


def test_fixed_targets_that_cannot_be_told_are_a_dash_and_the_sample_is_still_told(tmp_path):
    none = {"trained": None, "untrained": None}
    found = training(tmp_path, lambda d: d["referee"].update(pca64=none))
    [table] = beyond._fixed_targets(found)
    assert table.rows[0] == ("PCA-64 of the slots", "\N{EN DASH}", "\N{EN DASH}")
    [text] = sample(found)
    assert isinstance(text, Text)
    assert "1,870 are distinct" in text.text


def test_copies_of_training_windows_are_told_with_the_skill_on_the_others(tmp_path):
    unseen = {"windows": 90, "loss": 0.1, "skill": 0.21, "skill_interval": [0.1, 0.3]}
    found = training(tmp_path, lambda d: d["sample"].update(seen_in_training=0.97, unseen=unseen))
    [text] = sample(found)
    assert "97.00 % of them equal a window of the training side" in text.text.replace("\xa0", " ")
    assert "skill on the other 90: 0.21" in text.text
