"""Losses and weights that are not finite: found without making a GPU wait, then explained.

A loss stays on its device. On a CPU each is looked at when it is made; on a GPU `CHECK_EVERY` of
them together, and all before a state is saved. A batch follows from its step, so the guilty one is
made again to see whether its windows were at fault.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from jepa_ray.errors import TrainingError
from jepa_ray.train.data import Batch, Worker

CHECK_EVERY = 25
_SHOWN = 32


class NotFiniteError(Exception):
    """A loss was not finite. Never leaves the loop: `explained` makes it a `TrainingError`."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


class LossWatch:
    """Looks at the losses of this rank."""

    def __init__(self, device: torch.device) -> None:
        self._every = 1 if device.type == "cpu" else CHECK_EVERY
        self._waiting: list[tuple[int, Tensor]] = []

    def add(self, step: int, loss: Tensor) -> None:
        """Take the loss of a step; NotFiniteError names the first bad one, now or later."""
        self._waiting.append((step, loss))
        if len(self._waiting) >= self._every:
            self.check()

    def check(self) -> None:
        """Look at all that were not looked at yet."""
        if not self._waiting:
            return
        good = torch.isfinite(torch.stack([loss for _, loss in self._waiting])).tolist()
        steps = [step for step, _ in self._waiting]
        self._waiting.clear()
        if not all(good):
            raise NotFiniteError(steps[good.index(False)])


def explained(
    step: int, make: Callable[[int], Batch], worker: Worker, before: str
) -> TrainingError:
    """Why the loss of a step was not finite.

    Args:
        step: Counted from 0.
        make: Makes the batch of the step again.
        worker: This rank.
        before: The sentence about the last good state.

    Returns:
        An error with the step, the uids of the batch's windows on this rank (damaged ones only,
        where there are any), the state from before, and what to try.
    """
    batch = make(step)
    bad = torch.isfinite(batch.x).flatten(1).all(dim=1).logical_not().cpu().numpy()
    if bad.any():
        uids = batch.uids[bad]
        what = f"{len(uids)} window(s) of its batch hold a NaN or infinity"
        way_out = "prepare their dataset again (`jepa-ray inspect --uid` shows one)"
    else:
        uids = batch.uids
        what = "its batch is finite, so the weights had grown too large"
        way_out = "lower lr, or set clip_norm or a warm-up"
    shown = " ".join(f"0x{uid:016x}" for uid in uids[:_SHOWN].tolist())
    more = f" and {len(uids) - _SHOWN} more" if len(uids) > _SHOWN else ""
    return TrainingError(
        f"step {step + 1}: the loss is not finite on rank {worker.rank}; {what}; {before}; "
        f"{way_out}; windows: {shown}{more}"
    )


def not_finite_weights(model: nn.Module, step: int, before: str) -> TrainingError:
    """The error of a model with a weight that is not finite; it names the first such one."""
    name = next(n for n, value in model.named_parameters() if not torch.isfinite(value).all())
    return TrainingError(
        f"step {step}: the weight {name} is not finite; {before}; lower lr, or set clip_norm or a "
        "warm-up"
    )
