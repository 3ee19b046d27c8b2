"""The feed that keeps its windows in memory: 74 bytes a window of one run, and 16 for the order."""

import threading

import numpy as np
from numpy.typing import NDArray

from jepa_ray.corpus.batch import WHOLE, FeedBatch, Share, generator
from jepa_ray.corpus.parts import PartReader
from jepa_ray.corpus.rows import Rows, Space
from jepa_ray.corpus.stored import Side, SplitDataset


class MemoryFeed:
    """Batches of one side, drawn by a random permutation of all of it in each epoch.

    Args:
        rows: The windows; at least one.
        order: int64 (n,), the rows in an order that does not depend on how they lie.
        batch_size: Windows of one step over all ranks.
        seed: Another seed, another order.
        share: Which rows of a global batch are this rank's.
    """

    def __init__(
        self,
        rows: Rows,
        order: NDArray[np.int64],
        *,
        batch_size: int,
        seed: int,
        share: Share = WHOLE,
    ) -> None:
        assert len(order), "a feed needs a window"
        self.batch_size = batch_size
        self.windows = len(order)
        self._rows = rows
        self._order = order
        self._seed = seed
        self._share = share
        self._one_at_a_time = threading.Lock()
        self._epoch = -1
        self._permutation: NDArray[np.int64] = np.zeros(0, np.int64)

    def batch(self, step: int) -> FeedBatch:
        """This rank's windows of a step."""
        with self._one_at_a_time:
            rows = self._drawn(step)
        return FeedBatch(*self._rows.take(rows))

    def _drawn(self, step: int) -> NDArray[np.int64]:
        epochs, places = np.divmod(self._share.places(step, self.batch_size), self.windows)
        found = [self._permuted(int(epoch))[places[epochs == epoch]] for epoch in np.unique(epochs)]
        rows: NDArray[np.int64] = self._order[np.concatenate(found)]
        return rows

    def _permuted(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            self._permutation = generator(self._seed, epoch).permutation(self.windows)
            self._epoch = epoch
        return self._permutation


def in_memory(datasets: list[SplitDataset], side: Side) -> tuple[Rows, NDArray[np.int64]]:
    """One side of some datasets, and its rows dataset after dataset in the order of their uids.

    How the files were cut does not reach that order. Memory peaks at the result.
    """
    column, reader = int(side == "val"), PartReader()
    sizes = [int(dataset.sizes[:, column].sum()) for dataset in datasets]
    space = Space(sum(sizes), sum(group.runs for dataset in datasets for group in dataset.groups))
    rows = space.fill(rows for dataset in datasets for rows in dataset.rows(side, reader))
    order, start = np.empty(len(rows.uids), np.int64), 0
    for size in sizes:
        part = order[start : start + size]
        part[:] = np.argsort(rows.uids[start : start + size], kind="stable")
        part += start
        start += size
    return rows, order
