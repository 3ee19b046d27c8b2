"""The losses of a training: what a CPU says at once, a GPU says where the ranks meet."""

import math

import pytest
import torch

from jepa_ray.train.data import Worker
from jepa_ray.train.losses import Losses, NotFiniteError

GOOD = torch.zeros(2, 96, 16)
BAD = torch.full((2, 96, 16), math.nan)


def losses(device: str, keep: int = 3) -> Losses:
    """On a GPU, which need not be there: only tensors that are given are computed on."""
    return Losses(Worker(device=torch.device(device)), keep=keep)


def fill(taken: Losses, *steps: tuple[torch.Tensor, float]) -> None:
    for step, (x, loss) in enumerate(steps):
        taken.look(step, x)
        taken.add(step, torch.tensor(loss))


def test_a_cpu_refuses_a_bad_batch_at_once():
    with pytest.raises(NotFiniteError) as caught:
        losses("cpu").look(7, BAD)
    assert (caught.value.step, caught.value.everywhere) == (7, False)


def test_a_cpu_refuses_a_bad_loss_at_once():
    with pytest.raises(NotFiniteError, match="1"):
        fill(losses("cpu"), (GOOD, 1.0), (GOOD, math.inf))


@pytest.mark.parametrize("bad", [(BAD, 1.0), (GOOD, math.nan), (BAD, math.nan)])
def test_a_gpu_goes_on_and_names_the_first_bad_step_where_the_ranks_meet(bad):
    taken = losses("cuda")
    fill(taken, (GOOD, 1.0), bad, (GOOD, math.nan))
    with pytest.raises(NotFiniteError) as caught:
        taken.meet()
    assert (caught.value.step, caught.value.everywhere) == (1, True)


def test_the_mean_is_over_the_last_steps():
    taken = losses("cpu")
    fill(taken, *((GOOD, float(loss)) for loss in (9, 1, 2, 6)))
    taken.meet()
    assert (taken.mean(), taken.last()) == (3.0, 6.0)


def test_before_the_first_step_there_is_no_mean():
    taken = losses("cpu")
    taken.meet()
    assert taken.mean() is None


def test_restored_losses_have_the_same_mean():
    taken, again = losses("cpu"), losses("cpu")
    fill(taken, (GOOD, 1.0), (GOOD, 2.0))
    taken.meet()
    again.restore(taken.state())
    assert again.mean() == 1.5
