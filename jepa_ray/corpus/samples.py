"""The windows of one evaluation: draws from both sides of some datasets, with whose they are.

The files are read once for all draws. What is drawn does not depend on how they were cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.batch import generator
from jepa_ray.corpus.dense import densify
from jepa_ray.corpus.held_out import drawn_ranks
from jepa_ray.corpus.parts import PartReader
from jepa_ray.corpus.rows import Rows, joined
from jepa_ray.corpus.stored import SplitDataset, split_all, split_keys
from jepa_ray.windows import SparseWindows, mix64, sparse_windows

_NOBODY = np.uint64(0)


class Counts(NamedTuple):
    """How many windows are drawn, at most.

    Attributes:
        held_out: Of all datasets together: those that `open_held_out` draws.
        each: Of each dataset; those of the first draw count.
        training: From the training sides of all datasets together.
    """

    held_out: int
    each: int
    training: int


@dataclass(frozen=True, eq=False)
class Sample:
    """n windows, each at most once.

    Attributes:
        windows: They.
        uids: uint64 (n,).
        dataset: int64 (n,), places in the list of names.
        actor: uint64 (n,), salted hashes; 0 for nobody.
    """

    windows: SparseWindows
    uids: NDArray[np.uint64]
    dataset: NDArray[np.int64]
    actor: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.uids)

    def take(self, rows: NDArray[np.integer]) -> "Sample":
        """Some of the windows, in that order."""
        windows = self.windows.take(rows)
        return Sample(windows, self.uids[rows], self.dataset[rows], self.actor[rows])

    def batches(self, size: int) -> Iterator[Tensor]:
        """Dense windows, float32 [<= size, 96, 16] on the CPU; the last batch may be smaller."""
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield densify(self.windows.take(rows), "cpu")

    def groups(self) -> NDArray[np.uint64]:
        """The actor of each window, else the window itself: uint64 (n,)."""
        return np.where(self.actor == _NOBODY, mix64(self.uids), self.actor)


@dataclass(frozen=True, eq=False)
class Samples:
    """All draws of an evaluation.

    Attributes:
        names: Of the datasets.
        held_out: From all datasets together, in the order of the draw.
        more: Further held-out windows of datasets that have few in `held_out`.
        training: From the training sides.
        totals: Held-out windows of each dataset.
        contents: uint64, ascending: fingerprints of all windows on the training sides.
    """

    names: tuple[str, ...]
    held_out: Sample
    more: Sample
    training: Sample
    totals: tuple[int, ...]
    contents: NDArray[np.uint64]

    def seen(self, sample: Sample) -> NDArray[np.bool_]:
        """Which windows of a draw have an equal one on a training side: bool (n,)."""
        found: NDArray[np.bool_] = np.isin(sample.windows.fingerprints(), self.contents)
        return found


class _Ref(NamedTuple):
    """Windows by dataset and uid."""

    dataset: NDArray[np.int64]
    uid: NDArray[np.uint64]


def draw_samples(
    processed_dir: str, names: Sequence[str], split: SplitConfig, counts: Counts, *, seed: int
) -> Samples:
    """Draw the windows of an evaluation.

    Memory is that of the drawn windows, of the uids of the held-out side, and 8 bytes for each
    distinct window of the training side.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets.
        split: Which windows are held out.
        counts: How many are drawn.
        seed: Which are drawn.

    Raises:
        CorpusError: A dataset is absent, damaged or cannot be split.
    """
    datasets = split_all(processed_dir, names, split)
    sides = [_sorted_uids(dataset) for dataset in datasets]
    first = _combined(sides, counts.held_out, seed)
    more = _further(sides, first, counts.each, seed)
    training = _lowest(datasets, counts.training, seed)
    pool = _Pool(datasets, [first, more, training])
    return Samples(
        names=tuple(names),
        held_out=pool.sample(first),
        more=pool.sample(more),
        training=pool.sample(training),
        totals=tuple(map(len, sides)),
        contents=pool.contents,
    )


def _sorted_uids(dataset: SplitDataset) -> NDArray[np.uint64]:
    """Of the held-out side."""
    return np.sort(np.concatenate([np.zeros(0, np.uint64), *dataset.uids("val", PartReader())]))


def _combined(sides: list[NDArray[np.uint64]], count: int, seed: int) -> _Ref:
    ends = np.cumsum([len(side) for side in sides])
    drawn = drawn_ranks(int(ends[-1]), count, seed)
    return _Ref(np.searchsorted(ends, drawn, side="right"), np.concatenate(sides)[drawn])


def _further(sides: list[NDArray[np.uint64]], first: _Ref, each: int, seed: int) -> _Ref:
    found = []
    for i, side in enumerate(sides):
        mine = first.uid[first.dataset == i]
        shuffled = side[generator(seed, 1, i).permutation(len(side))]
        left = shuffled[~np.isin(shuffled, mine)][: max(each - len(mine), 0)]
        found.append(_Ref(np.full(len(left), i), left))
    return _Ref(*map(np.concatenate, zip(*found, strict=True)))


def _lowest(datasets: list[SplitDataset], count: int, seed: int) -> _Ref:
    """The training windows whose hashes are the smallest: a draw in one pass, of bounded memory."""
    salt = mix64(np.array([seed], np.uint64))
    best = _Ref(np.zeros(0, np.int64), np.zeros(0, np.uint64))
    for i, dataset in enumerate(datasets):
        for uids in dataset.uids("train", PartReader()):
            joint = _Ref(
                *map(np.concatenate, zip(best, (np.full(len(uids), i), uids), strict=True))
            )
            order = np.argsort(mix64(joint.uid ^ salt), kind="stable")[:count]
            best = _Ref(joint.dataset[order], joint.uid[order])
    return best


class _Pool:
    """All windows that any of the draws wants, read once."""

    def __init__(self, datasets: list[SplitDataset], draws: list[_Ref]) -> None:
        pieces: list[Rows] = []
        self._actors, self._uids, self._starts = [], [], [0]
        self.contents = np.zeros(0, np.uint64)
        for i, dataset in enumerate(datasets):
            wanted = np.unique(np.concatenate([draw.uid[draw.dataset == i] for draw in draws]))
            rows, actor, contents = _read(dataset, wanted)
            self.contents = np.union1d(self.contents, contents)
            uids, once = np.unique(rows.uids, return_index=True)
            pieces.append(rows.take(once))
            self._uids.append(uids)
            self._actors.append(actor[once])
            self._starts.append(self._starts[-1] + len(uids))
        self._rows = joined(pieces)
        self._actor = np.concatenate(self._actors)

    def sample(self, draw: _Ref) -> Sample:
        """The windows of a draw, in its order."""
        place = np.zeros(len(draw.uid), np.int64)
        for i, (start, _) in enumerate(pairwise(self._starts)):
            mine = draw.dataset == i
            place[mine] = start + np.searchsorted(self._uids[i], draw.uid[mine])
        rows = self._rows.take(place)
        return Sample(rows.windows, rows.uids, draw.dataset.astype(np.int64), self._actor[place])


def _read(
    dataset: SplitDataset, wanted: NDArray[np.uint64]
) -> tuple[Rows, NDArray[np.uint64], NDArray[np.uint64]]:
    """Windows of a dataset by their uids, in the order of the files.

    Returns:
        The windows, their actors, and the distinct fingerprints of its training side.
    """
    parts = list(dict.fromkeys(group.part for group in dataset.groups))
    columns = list(dict.fromkeys(["window_uid", "actor", "runs", *dataset.columns]))
    rows, actors, contents = [], [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for _, table in PartReader().scan(parts, columns):
        uids, windows = table["window_uid"].to_numpy(), sparse_windows(table["runs"])
        training = ~dataset.rule.held_out(split_keys(table))
        contents.append(np.unique(windows.fingerprints()[training]))
        at = np.flatnonzero(np.isin(uids, wanted))
        if len(at):
            rows.append(Rows(windows.take(at), uids[at]))
            actor = pc.fill_null(table["actor"].take(at), 0).to_numpy()
            actors.append(actor.astype(np.uint64, copy=False))
    return joined(rows), np.concatenate(actors), np.unique(np.concatenate(contents))
