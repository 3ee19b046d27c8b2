"""Two processes compute what one does at the same global batch: losses and gradients."""

import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from jepa_ray.config import TrainConfig
from jepa_ray.model import ScheduleJEPA, build_objective, draw_masks
from jepa_ray.model.across import gathered, rank, ranks, total
from tests.model.made import block_windows
from tests.model.ranks import in_two_processes

SMALL = {"d_model": 16, "heads": 2, "mlp": 16, "layers": 1}
ARMS = [
    {"regulariser": "vicreg"},
    {"regulariser": "sigreg", "weight": 0.05, "directions": 15},
    {"regulariser": "visreg", "directions": 15},
    {"regulariser": "visreg", "directions": 1, "target": "online"},
    {"kind": "mae", "regulariser": "vicreg"},
    {"kind": "supervised"},
]


def trained(rank, world, arm):
    """Losses of two steps of one rank, and the gradients after each."""
    config = TrainConfig(batch_size=24, model=SMALL, objective=arm, mask={"kind": "mixture"})
    model = ScheduleJEPA(config.model, seed=0).double()
    objective = build_objective(model, config, seed=1)
    forward = DistributedDataParallel(objective) if world > 1 else objective
    losses, grads = [], []
    rows = slice(rank, None, world)
    for step in range(2):
        masks = draw_masks(config.mask, seed=0, step=step, batch=24).rows(rows)
        found = forward(block_windows(24)[rows].double(), *masks.tensors(), step)
        objective.zero_grad()
        found.loss.backward()
        losses.append({name: float(part) for name, part in found.parts.items()})
        grads.append({n: p.grad for n, p in objective.named_parameters() if p.requires_grad})
    return losses, grads


def all_arms(rank):
    return [trained(rank, 2, arm) for arm in ARMS]


@pytest.fixture(scope="module")
def of_two():
    return in_two_processes(all_arms)


@pytest.mark.parametrize("arm", range(len(ARMS)), ids=[str(arm) for arm in ARMS])
def test_two_ranks_equal_one(of_two, arm):
    losses, grads = trained(0, 1, ARMS[arm])
    for rank_losses, rank_grads in (found[arm] for found in of_two):
        for step in range(2):
            for name, expected in grads[step].items():
                torch.testing.assert_close(rank_grads[step][name], expected, rtol=0, atol=1e-9)
            if "regulariser" in losses[step]:
                expected = losses[step]["regulariser"]
                assert rank_losses[step]["regulariser"] == pytest.approx(expected, abs=1e-9)
    for step in range(2):
        mean = sum(found[arm][0][step]["prediction"] for found in of_two) / 2
        assert mean == pytest.approx(losses[step]["prediction"], abs=1e-9)


def sums_and_rows(_rank):
    x = torch.arange(3.0, requires_grad=True)
    (total(x * (rank() + 1)).sum() + (gathered(x) * torch.arange(6.0)).sum()).backward()
    return total(x * (rank() + 1)).detach(), gathered(x + 10 * rank()).detach(), x.grad


def test_sums_and_rows_over_ranks():
    first, second = in_two_processes(sums_and_rows)
    for sums, rows, _ in (first, second):
        assert sums.tolist() == [0, 3, 6]
        assert rows.tolist() == [0, 1, 2, 10, 11, 12]
    assert first[2].tolist() == [2 + 0, 2 + 2, 2 + 4]
    assert second[2].tolist() == [4 + 6, 4 + 8, 4 + 10]


def test_one_process_is_its_own_world():
    x = torch.ones(2)
    assert (ranks(), rank()) == (1, 0)
    assert total(x) is x
    assert gathered(x) is x
