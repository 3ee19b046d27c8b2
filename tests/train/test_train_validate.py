"""One validation: a single pass gives the numbers of two."""

import pytest
import torch

from jepa_ray.config import ObjectiveConfig
from jepa_ray.model import ScheduleJEPA, measure
from jepa_ray.model.activity import ActivityProbe
from jepa_ray.model.objectives import Objective
from jepa_ray.train.validate import losses, validated
from tests.train.trainings import TINY, corpus_folder, data_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    return data_of(corpus_folder(tmp_path_factory.mktemp("corpus"), records=400)).held_out


def objective_of(kind: str, regulariser: str = "none") -> Objective:
    config = ObjectiveConfig(kind=kind, regulariser=regulariser)
    return Objective(ScheduleJEPA(TINY, seed=1), config, seed=2)


def in_two_passes(objective: Objective, held_out, kind: str) -> dict:
    """The monitors by one pass, the probe and the objective's own loss by another."""
    found = measure(objective.model, held_out, device=CPU).monitors.as_dict()
    loss, skill = found.pop("loss"), found.pop("skill")
    probe, total, count = ActivityProbe(), 0.0, 0
    objective.eval()
    with torch.inference_mode():
        for x, masks in held_out:
            visible, hidden = masks.tensors(CPU)
            terms = objective.terms(x, visible, hidden)
            probe.update(terms.context, x, hidden)
            total += len(x) * float(terms.prediction)
            count += len(x)
    if kind != "jepa":
        loss, skill = total / count, None
    return {"val_loss": loss, "skill": skill, **found, "activity": probe.score()}


@pytest.mark.parametrize(
    ("kind", "regulariser"),
    [("jepa", "none"), ("jepa", "vicreg"), ("mae", "none"), ("supervised", "none")],
)
def test_one_pass_gives_the_numbers_of_two_to_the_bit(held_out, kind, regulariser):
    objective = objective_of(kind, regulariser)
    assert validated(objective, held_out, kind, CPU) == in_two_passes(objective, held_out, kind)


@pytest.mark.parametrize("kind", ["jepa", "mae", "supervised"])
def test_each_encoder_runs_once_a_batch(held_out, kind):
    objective, calls = objective_of(kind), []
    for part in ("context_encoder", "target_encoder", "predictor"):
        getattr(objective.model, part).register_forward_hook(
            lambda *_, name=part: calls.append(name)
        )
    validated(objective, held_out, kind, CPU)
    assert sorted(calls) == sorted(
        ["context_encoder", "target_encoder", "predictor"] * len(held_out)
    )


@pytest.mark.parametrize("kind", ["jepa", "mae", "supervised"])
def test_the_losses_alone_are_those_of_a_validation(held_out, kind):
    objective = objective_of(kind)
    whole = validated(objective, held_out, kind, CPU)
    assert losses(objective, held_out, kind, CPU) == (whole["val_loss"], whole["skill"])


@pytest.mark.parametrize("training", [True, False])
def test_a_validation_restores_the_mode_of_the_objective(held_out, training):
    objective = objective_of("jepa", "vicreg").train(training)
    validated(objective, held_out, "jepa", CPU)
    assert {part.training for part in objective.modules()} == {training}
