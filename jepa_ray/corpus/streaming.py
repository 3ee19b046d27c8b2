"""The feed that keeps its windows on disk: a bounded number of row groups in memory at a time.

In each epoch the row groups are shuffled and dealt, in that order, into pools of `POOL_BYTES`, and
the windows of a pool are shuffled together. So a step finds its pool by arithmetic, and resuming
reads that pool, not what came before it. While a pool is used, the parts of the next one are
fetched where they lie in an object store, compressed as they are.
"""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.corpus.batch import WHOLE, FeedBatch, Share, generator
from jepa_ray.corpus.parts import PartReader
from jepa_ray.corpus.rows import RUN_BYTES, WINDOW_BYTES, Rows, Space, joined
from jepa_ray.corpus.stored import SplitDataset

POOL_BYTES = 24 << 20
"""In memory: five parts of 65,536 windows of one run."""


@dataclass(frozen=True, eq=False)
class _Epoch:
    """How one epoch is cut.

    Attributes:
        number: Of the epoch.
        pools: Row groups of each pool, ascending: places in the list of all of them.
        ends: int64 (pools,), training windows up to the end of each pool.
    """

    number: int
    pools: list[NDArray[np.int64]]
    ends: NDArray[np.int64]


class StreamingFeed:
    """Batches of the training side of some datasets.

    Args:
        datasets: With at least one training window.
        batch_size: Windows of one step over all ranks.
        seed: Another seed, another order.
        share: Which rows of a global batch are this rank's.
        pool_bytes: A pool is closed before it grows above this; it has a row group at least.
    """

    def __init__(
        self,
        datasets: list[SplitDataset],
        *,
        batch_size: int,
        seed: int,
        share: Share = WHOLE,
        pool_bytes: int = POOL_BYTES,
    ) -> None:
        self.batch_size = batch_size
        self._datasets = datasets
        self._seed = seed
        self._share = share
        self._pool_bytes = pool_bytes
        self._sizes = np.concatenate([dataset.sizes[:, 0] for dataset in datasets])
        self._runs = np.array([g.runs for dataset in datasets for g in dataset.groups], np.int64)
        self._starts = np.cumsum([0, *(len(dataset.groups) for dataset in datasets)])
        self.windows = int(self._sizes.sum())
        assert self.windows, "a feed needs a window"
        self._space = Space(*self._largest_pool())
        self._reader = PartReader()
        self._one_at_a_time = threading.Lock()
        self._epoch: _Epoch | None = None
        self._pool: tuple[NDArray[np.int64], Rows] | None = None  # row groups, windows
        self._shuffle = (-1, -1)
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)

    def _largest_pool(self) -> tuple[int, int]:
        """Windows and runs of a pool at most."""
        limits = zip((self._sizes, self._runs), (WINDOW_BYTES, RUN_BYTES), strict=True)
        windows, runs = (
            min(max(self._pool_bytes // each, counts.max()), counts.sum())
            for counts, each in limits
        )
        return int(windows), int(runs)

    def batch(self, step: int) -> FeedBatch:
        """This rank's windows of a step."""
        epochs, places = np.divmod(self._share.places(step, self.batch_size), self.windows)
        with self._one_at_a_time:
            found = [
                rows
                for epoch in np.unique(epochs)
                for rows in self._drawn(int(epoch), places[epochs == epoch])
            ]
        return FeedBatch(*joined(found))

    def _drawn(self, number: int, places: NDArray[np.int64]) -> Iterator[Rows]:
        """Windows at some ascending places of an epoch, pool after pool."""
        if self._epoch is None or self._epoch.number != number:
            self._epoch = self._cut(number)
        epoch = self._epoch
        pools = np.searchsorted(epoch.ends, places, side="right")
        for index in np.unique(pools):
            start = epoch.ends[index - 1] if index else 0
            yield self._take(epoch, int(index), places[pools == index] - start)

    def _cut(self, number: int) -> _Epoch:
        order = generator(self._seed, number).permutation(np.flatnonzero(self._sizes))
        weights = self._runs[order] * RUN_BYTES + self._sizes[order] * WINDOW_BYTES
        pools = [np.sort(order[cut]) for cut in _cuts(weights.tolist(), self._pool_bytes)]
        return _Epoch(number, pools, np.cumsum([self._sizes[pool].sum() for pool in pools]))

    def _take(self, epoch: _Epoch, index: int, places: NDArray[np.int64]) -> Rows:
        groups = epoch.pools[index]
        if self._pool is None or not np.array_equal(self._pool[0], groups):
            self._pool = None  # reading overwrites it, or fails
            self._pool = groups, self._read(groups)
            self._expect_after(epoch, index)
        if self._shuffle != (epoch.number, index):
            order = generator(self._seed, epoch.number, index).permutation(len(self._pool[1].uids))
            self._shuffle, self._order = (epoch.number, index), order
        return self._pool[1].take(self._order[places])

    def _read(self, groups: NDArray[np.int64]) -> Rows:
        pieces = (
            rows
            for dataset, chosen in self._by_dataset(groups)
            for rows in dataset.rows("train", self._reader, chosen)
        )
        return self._space.fill(pieces)

    def _expect_after(self, epoch: _Epoch, index: int) -> None:
        """Let the parts of the pool after this one be fetched."""
        last = index + 1 == len(epoch.pools)
        following = self._cut(epoch.number + 1).pools[0] if last else epoch.pools[index + 1]
        self._reader.forget()
        for dataset, chosen in self._by_dataset(following):
            self._reader.expect(dataset.groups[place].part for place in chosen)

    def _by_dataset(
        self, groups: NDArray[np.int64]
    ) -> Iterator[tuple[SplitDataset, NDArray[np.int64]]]:
        bounds = np.searchsorted(groups, self._starts)
        for i, dataset in enumerate(self._datasets):
            chosen = groups[bounds[i] : bounds[i + 1]] - self._starts[i]
            if len(chosen):
                yield dataset, chosen


def _cuts(weights: list[int], limit: int) -> Iterator[slice]:
    """Consecutive slices of at least one weight, each closed before its sum exceeds the limit."""
    start = total = 0
    for i, weight in enumerate(itertools.chain(weights, [limit + 1])):
        total += weight
        if total > limit and i > start:
            yield slice(start, i)
            start, total = i, weight
