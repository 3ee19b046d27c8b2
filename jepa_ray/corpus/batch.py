"""What both feeds have in common: a batch, a rank's share of it, and the random numbers."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows import SparseWindows


class FeedBatch(NamedTuple):
    """One rank's windows of one step.

    Attributes:
        windows: batch_size / world of them.
        uids: uint64, theirs: named when a batch is not finite.
    """

    windows: SparseWindows
    uids: NDArray[np.uint64]


class TrainFeed(Protocol):
    """Training windows without end; those of a step follow from (seed, step) alone.

    Steps may be asked for in any order, by any thread; going on is fast.

    Attributes:
        batch_size: Windows of one step over all ranks.
        windows: Training windows in all: each comes once in an epoch.
    """

    batch_size: int
    windows: int

    def batch(self, step: int) -> FeedBatch:
        """This rank's windows of a step; CorpusError where a part went missing or is damaged."""
        ...


@dataclass(frozen=True)
class Share:
    """Rank r of w takes every w-th window of a global batch, beginning with the r-th."""

    rank: int = 0
    world: int = 1

    def places(self, step: int, batch_size: int) -> NDArray[np.int64]:
        """Where this rank's windows of a step stand in the endless row of epochs."""
        assert batch_size % self.world == 0, "the ranks divide the global batch"
        return np.arange(step * batch_size + self.rank, (step + 1) * batch_size, self.world)


WHOLE = Share()


def generator(seed: int, epoch: int, pool: int = -1) -> np.random.Generator:
    """The random numbers of an epoch, or of one pool in it: streams that do not overlap."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, pool + 1]))
