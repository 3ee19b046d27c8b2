"""The held-out windows of validations and evaluations: a bounded draw, the same in both modes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.batch import generator
from jepa_ray.corpus.dense import densify
from jepa_ray.corpus.parts import PartReader
from jepa_ray.corpus.rows import Rows, joined
from jepa_ray.corpus.stored import SplitDataset, split_all
from jepa_ray.windows import SparseWindows


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Windows drawn from the held-out side, each at most once, in the order of the draw.

    Iterating gives dense batches, float32 [<= batch_size, 96, 16] on the CPU; only the last one may
    be smaller.

    Attributes:
        windows: n of them: as many as were asked for, or the whole side where it is smaller.
        uids: uint64 (n,), theirs.
        total: Windows of the whole side.
        batch_size: Windows of a batch.
    """

    windows: SparseWindows
    uids: NDArray[np.uint64]
    total: int
    batch_size: int

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self.uids), self.batch_size):
            rows = np.arange(start, min(start + self.batch_size, len(self.uids)))
            yield densify(self.windows.take(rows), "cpu")


def open_held_out(
    processed_dir: str,
    names: Sequence[str],
    split: SplitConfig,
    *,
    batches: int,
    batch_size: int,
    seed: int,
) -> HeldOut:
    """Draw windows for validations from the held-out side of some datasets.

    Memory is that of the drawn windows, one batch, and 24 bytes a held-out window while they
    are drawn. The draw does not depend on how the files were cut.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets.
        split: Which windows are held out.
        batches: At most so many; fewer where the side is smaller.
        batch_size: Windows of a batch.
        seed: Which windows are drawn.

    Returns:
        The draw; empty where no window is held out.

    Raises:
        CorpusError: A dataset is absent, damaged or cannot be split.
    """
    datasets = split_all(processed_dir, names, split)
    total = sum(int(dataset.sizes[:, 1].sum()) for dataset in datasets)
    drawn = drawn_ranks(total, batches * batch_size, seed)
    found, start = [], 0
    for dataset in datasets:
        size = int(dataset.sizes[:, 1].sum())
        mine = (start <= drawn) & (drawn < start + size)
        found.append((np.flatnonzero(mine), _at(dataset, drawn[mine] - start)))
        start += size
    places = np.concatenate([place for place, _ in found])
    rows = joined([rows for _, rows in found]).take(np.argsort(places))
    return HeldOut(rows.windows, rows.uids, total, batch_size)


def drawn_ranks(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Places of the drawn windows among all held-out ones: dataset after dataset, uids in order."""
    return generator(seed, 0).permutation(total)[:count]


def _at(dataset: SplitDataset, ranks: NDArray[np.int64]) -> Rows:
    """Held-out windows by their ranks in the order of the uids, in the order of `ranks`."""
    if not len(ranks):
        return joined([])
    uids = np.concatenate(list(dataset.uids("val", PartReader())))
    place = np.argsort(uids, kind="stable")[ranks]  # as the files have them
    sizes = dataset.sizes[:, 1]
    group = np.searchsorted(np.cumsum(sizes), place, side="right")
    chosen = np.unique(group)
    unread = np.cumsum(np.where(np.isin(np.arange(len(sizes)), chosen), 0, sizes))
    place -= unread[group]  # as the chosen row groups have them
    by_place, found, start = np.argsort(place), [], 0
    for rows in dataset.rows("val", PartReader(), chosen):
        mine = place[by_place] - start
        found.append(rows.take(mine[(mine >= 0) & (mine < len(rows.uids))]))
        start += len(rows.uids)
    return joined(found).take(np.argsort(by_place))
