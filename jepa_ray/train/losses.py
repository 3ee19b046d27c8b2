"""The losses of a training: those of all ranks averaged, and looked at for what is not finite.

A loss stays on its device. On a CPU each batch is looked at before its step and each loss after it;
on a GPU, which must not wait, all at the next step where the ranks meet: every `MEET_EVERY` steps,
at each validation and at each save.
"""

from collections import deque

import torch
from torch import Tensor, distributed

from jepa_ray.train.data import Worker

MEET_EVERY = 25


class NotFiniteError(Exception):
    """A batch or a loss was not finite. Never leaves the loop, which makes it a `TrainingError`.

    Attributes:
        step: Counted from 0.
        everywhere: All ranks raise it, so they may speak with one another about it.
    """

    def __init__(self, step: int, *, everywhere: bool) -> None:
        super().__init__(step)
        self.step, self.everywhere = step, everywhere


class Losses:
    """The losses of the last steps.

    Args:
        worker: This rank.
        keep: Steps that `mean` is over.

    Attributes:
        recent: Scalars, means over all ranks; equal on all of them, so any rank may resume.
    """

    def __init__(self, worker: Worker, *, keep: int) -> None:
        self._worker = worker
        self._waits = worker.device.type == "cpu"
        self.recent: deque[Tensor] = deque(maxlen=keep)
        self._steps: list[int] = []
        self._damaged: list[Tensor] = []
        self._losses: list[Tensor] = []

    def look(self, step: int, x: Tensor) -> None:
        """Look at a batch before its step: a loss does not depend on all that it holds.

        Raises:
            NotFiniteError: It holds a NaN or an infinity, and this is a CPU. Nothing of it has
                reached another rank yet, so the rank that is at fault is the one that speaks.
        """
        finite = torch.isfinite(x).all()
        if self._waits and not finite:
            raise NotFiniteError(step, everywhere=False)
        self._damaged.append(finite.logical_not())

    def add(self, step: int, loss: Tensor) -> None:
        """Take the loss of a step; NotFiniteError where it is bad, and this is a CPU."""
        if self._waits and not torch.isfinite(loss):
            raise NotFiniteError(step, everywhere=False)
        self._steps.append(step)
        self._losses.append(loss)

    def meet(self) -> None:
        """Average what is new over all ranks, all of which must call this after the same step.

        Raises:
            NotFiniteError: A batch or loss of any rank is bad; it names the first such step.
        """
        if not self._steps:
            return
        losses = torch.stack(self._losses)
        both = torch.stack((losses, torch.stack(self._damaged).to(losses.dtype)))  # [2, steps]
        if self._worker.world > 1:
            distributed.all_reduce(both)
            both[0] /= self._worker.world
        good = (torch.isfinite(both[0]) & (both[1] == 0)).tolist()
        steps = self._steps
        self._steps, self._damaged, self._losses = [], [], []
        if not all(good):
            raise NotFiniteError(steps[good.index(False)], everywhere=True)
        self.recent.extend(both[0].unbind())

    def last(self) -> float:
        """Of the last step before `meet`."""
        return float(self.recent[-1])

    def mean(self) -> float | None:
        """Over the last steps; None before the first."""
        return float(torch.stack(list(self.recent)).mean()) if self.recent else None

    def state(self) -> Tensor:
        """What `restore` puts back, on the CPU."""
        return torch.stack(list(self.recent)).cpu() if self.recent else torch.zeros(0)

    def restore(self, state: Tensor) -> None:
        """Go on with the losses that `state` gave."""
        self.recent.extend(state.to(self._worker.device).unbind())
