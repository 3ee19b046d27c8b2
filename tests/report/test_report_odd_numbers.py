"""Numbers of the right type that nobody would expect: a part says so, or shows them."""

import json
from random import Random

import pytest

from jepa_ray.report import forms, sections
from jepa_ray.report.blocks import Figure, Problem, Text
from jepa_ray.report.cards import said
from jepa_ray.report.results import open_results
from jepa_ray.report.sections import order, pictures, verdict
from tests.report.made_results import DATASETS, evaluation, write_run, write_training


def training(folder, **changes):
    """A training whose evaluation has other values."""
    write_training(folder, datasets=DATASETS[:1], evaluated=False, probed=False)
    document = evaluation(DATASETS[:1], Random(1)) | changes
    (folder / "evaluation.json").write_text(json.dumps(document))
    return open_results(str(folder))


def points(x, y, dataset):
    return {"x": x, "y": y, "dataset": dataset, "names": ["a", "b"], "explained": []}


def test_a_map_without_points_is_named(tmp_path):
    found = training(tmp_path, map=points([], [], []))
    [problem] = sections._said(pictures._map, found)
    assert "of length >= 1" in problem.text


def test_datasets_at_one_far_point_are_drawn(tmp_path):
    found = training(tmp_path, map=points([1e17] * 2, [1e17] * 2, [0, 1]))
    [figure] = sections._said(pictures._map, found)
    assert isinstance(figure, Figure)


def test_datasets_without_a_name_of_their_own_on_the_map_are_told_together(tmp_path):
    names = [f"ds{i:03}" for i in range(100)]
    of = list(range(100))
    many = points([float(i) for i in of], [float(i) for i in of], of) | {"names": names}
    [figure] = sections._said(pictures._map, training(tmp_path, map=many))
    assert "76 other datasets" in figure.svg
    assert "ds023" in figure.svg


@pytest.mark.parametrize("losses", [{}, {"a": 0.0}])
def test_legs_without_a_loss_above_0_are_named(tmp_path, losses):
    folder = write_run(tmp_path, datasets=DATASETS[:1], seeds=(1,), evaluated=False, probed=False)
    document = json.loads((folder / "confirmation.json").read_text())
    for leg in document["passes"][0]["legs"]:
        leg["losses"] = losses
    (folder / "confirmation.json").write_text(json.dumps(document))
    [problem] = sections._said(order._legs, open_results(str(folder)))
    assert "the legs of pass01 hold no loss above 0" in problem.text


def test_what_nobody_thought_of_spoils_one_part_only(tmp_path):
    def part(_):
        yield Text("before")
        yield Text(str(1 / 0))

    found = list(sections._said(part, None))
    assert found[0] == Text("before")
    assert isinstance(found[1], Problem)
    assert "ZeroDivisionError: division by zero" in found[1].text
    assert "ZeroDivisionError" in said(part, None)[-1]


@pytest.mark.parametrize("seed", [2**60, 2**63 - 1])
def test_any_seed_that_can_be_set_can_be_read(tmp_path, seed):
    found = training(tmp_path / "one", seed=seed)
    assert found.first.read(forms.Judged).status == "learned"
    run = write_run(tmp_path / "r", datasets=DATASETS[:1], seeds=(seed,), evaluated=False)
    assert open_results(str(run)).confirmation.read(forms.Overall).seeds == [seed]
    assert not any(isinstance(b, Problem) for b in sections._said(verdict._light, found))
