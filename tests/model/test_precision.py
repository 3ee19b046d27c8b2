import pytest
import torch

from jepa_ray.config import ModelConfig, TrainConfig
from jepa_ray.model import (
    ScheduleJEPA,
    autocast,
    build_objective,
    compiled,
    draw_masks,
    resolved,
)
from tests.model.made import block_windows

CPU = torch.device("cpu")
SMALL = ModelConfig(d_model=16, heads=2, mlp=16, layers=1)


def made(**objective):
    config = TrainConfig(model=SMALL, objective=objective)
    return build_objective(ScheduleJEPA(SMALL, seed=0), config, seed=1)


def batch(ratio=0.4, windows=8):
    mask = TrainConfig().mask.model_copy(update={"ratio": ratio})
    masks = draw_masks(mask, seed=0, step=0, batch=windows)
    return block_windows(windows), *masks.tensors()


def test_auto_is_fp32_on_a_cpu():
    assert resolved("auto", CPU) == "fp32"
    assert resolved("bf16", CPU) == "bf16"


@pytest.mark.gpu
def test_auto_is_bf16_on_a_gpu_that_has_it():
    assert resolved("auto", torch.device("cuda")) == "bf16"


def test_fp32_changes_nothing():
    objective = made()
    with autocast("fp32", CPU):
        found = objective(*batch(), 0).loss
    assert torch.equal(found, objective(*batch(), 0).loss)


@pytest.mark.parametrize("regulariser", ["none", "vicreg", "sigreg", "visreg"])
def test_bf16_is_close_and_its_loss_and_gradients_are_float32(regulariser):
    objective = made(regulariser=regulariser)
    exact = float(objective(*batch(), 0).loss.detach())
    with autocast("bf16", CPU):
        found = objective(*batch(), 0).loss
    found.backward()
    assert found.dtype == torch.float32
    assert float(found.detach()) == pytest.approx(exact, rel=0.05)
    learned = [p for p in objective.parameters() if p.requires_grad]
    assert {p.grad.dtype for p in learned} == {torch.float32}


@pytest.mark.slow
@pytest.mark.timeout(900)  # the compiler, on a machine that does other things too
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("objective", "windows"), [({}, 8), ({}, 100), ({"regulariser": "vicreg"}, 8)]
)
def test_the_compiled_objective_gives_the_same_at_every_mask_ratio(objective, windows):
    fused, eager = compiled(made(**objective)), made(**objective)
    for ratio in (0.4, 0.25, 0.5):
        found, expected = (one(*batch(ratio, windows), 3).loss for one in (fused, eager))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        found.backward()
        expected.backward()
    for one, other in zip(fused.parameters(), eager.parameters(), strict=True):
        if other.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5)
