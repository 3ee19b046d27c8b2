"""The split: a function of a seed and of the windows, never a file.

A window's side depends on nothing but its own key and the seed, so the sides are the same for any
number of workers, block size and order of files; re-splitting writes nothing. The one exception:
a dataset of two windows or more has at least one on each side, so the smallest hash always goes to
validation and the largest to training.

What that needs to know of the whole dataset is a rule of two numbers, found in passes over the keys
that hold one batch of them at a time.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.errors import CorpusError
from jepa_ray.windows import NO_TIME, mix64

Mask = NDArray[np.bool_]
_LAST = 2**64 - 1
_BINS = 1 << 20


class SplitError(CorpusError):
    """A mode cannot split a dataset."""


@dataclass(frozen=True, eq=False)
class SplitKeys:
    """What a split may look at, one entry a window.

    Attributes:
        uid: uint64 (n,), the windows' ids.
        group: uint64 (n,), hash of the actor, else of the project; 0 for neither.
        start_us: int64 (n,), local start in microseconds; `NO_TIME` where there is none.
    """

    uid: NDArray[np.uint64]
    group: NDArray[np.uint64]
    start_us: NDArray[np.int64]


Passes = Callable[[], Iterable[SplitKeys]]
"""Begins another pass over the keys of a dataset, cut into batches of any size."""


class SplitRule(Protocol):
    """The split of one dataset, for any of its windows."""

    def held_out(self, keys: SplitKeys) -> Mask:
        """Which of these windows are held out: bool (n,)."""
        ...


def validation_mask(dataset: str, keys: SplitKeys, config: SplitConfig) -> Mask:
    """Which windows are held out.

    Args:
        dataset: For messages only: the same window falls on the same side in any dataset.
        keys: Of the dataset's windows, in any order.
        config: Mode, seed and share.

    Returns:
        bool (n,), True for validation. A single window is for training.

    Raises:
        SplitError: The mode cannot split this dataset: one group only, or no times.
    """
    return split_rule(dataset, lambda: [keys], config).held_out(keys)


def split_rule(dataset: str, passes: Passes, config: SplitConfig) -> SplitRule:
    """The same as a rule, where the keys come in batches; memory is that of a batch.

    Args:
        dataset: For messages only.
        passes: Called once, and up to five times for `temporal` without a cut.
        config: Mode, seed and share.

    Raises:
        SplitError: The mode cannot split this dataset: one group only, or no times.
    """
    if config.mode == "temporal":
        return _temporal_rule(dataset, passes, config)
    count, lowest, highest = 0, _LAST, 0
    for keys in passes():
        hashes = _hashes(keys, config)
        count += len(hashes)
        lowest = min(lowest, int(hashes.min(initial=_LAST)))
        highest = max(highest, int(hashes.max(initial=0)))
    if config.mode == "grouped" and count > 1 and lowest == highest:
        raise SplitError(
            f"{dataset}: all windows belong to one group, so split mode 'grouped' cannot hold "
            "any out; use split.mode=random_resplit or temporal"
        )
    return _HashRule(config, lowest, highest)


@dataclass(frozen=True)
class _HashRule:
    """hash(seed, key) < val_fraction, with the smallest and the largest hash on either side."""

    config: SplitConfig
    lowest: int
    highest: int

    def held_out(self, keys: SplitKeys) -> Mask:
        hashes = _hashes(keys, self.config)
        held_out: Mask = hashes < np.uint64(int(self.config.val_fraction * 2**64))
        held_out |= hashes == np.uint64(self.lowest)
        held_out &= hashes != np.uint64(self.highest)  # a single window is for training
        return held_out


def _hashes(keys: SplitKeys, config: SplitConfig) -> NDArray[np.uint64]:
    key = keys.uid
    if config.mode == "grouped":
        key = np.where(keys.group == 0, keys.uid, keys.group)
    return mix64(key ^ mix64(np.array([config.seed], np.uint64))[0])


@dataclass(frozen=True)
class _TemporalRule:
    """Windows from the cut on; untimed ones are for training."""

    cut: int

    def held_out(self, keys: SplitKeys) -> Mask:
        held_out: Mask = (keys.start_us != NO_TIME) & (keys.start_us >= self.cut)
        return held_out


def _temporal_rule(dataset: str, passes: Passes, config: SplitConfig) -> SplitRule:
    windows, timed, earliest = 0, 0, np.zeros(0, np.int64)
    last = np.iinfo(np.int64).min
    for keys in passes():
        moments = _moments(keys)
        windows += len(keys.start_us)
        timed += len(moments)
        for _ in range(2):  # the two earliest of all, without sorting the batch
            if len(moments):
                earliest = np.union1d(earliest, moments.min())[:2]
                last = max(last, moments.max())
                moments = moments[moments > moments.min()]
    if windows < 2:
        return _TemporalRule(np.iinfo(np.int64).max)
    if len(earliest) < 2:
        raise SplitError(
            f"{dataset}: fewer than two distinct window times, so split mode 'temporal' cannot "
            "cut; use split.mode=random_resplit or grouped"
        )
    if config.cut is not None:
        epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local wall clocks
        cut = (config.cut.replace(tzinfo=None) - epoch) // dt.timedelta(microseconds=1)
    else:
        place = min(int(timed * (1 - config.val_fraction)), timed - 1)
        cut = _ordered(passes, place, int(earliest[0]), int(last))
    return _TemporalRule(min(max(cut, int(earliest[1])), int(last)))


def _moments(keys: SplitKeys) -> NDArray[np.int64]:
    moments: NDArray[np.int64] = keys.start_us[keys.start_us != NO_TIME]
    return moments


def _ordered(passes: Passes, place: int, low: int, high: int) -> int:
    """The moment at a place of the sorted ones, between `low` and `high`, by counting in bins."""
    while low < high:
        width = -(-(high - low + 1) // _BINS)
        counts = np.zeros(_BINS, np.int64)
        for keys in passes():
            moments = _moments(keys)
            moments = moments[(moments >= low) & (moments <= high)]
            counts += np.bincount((moments - low) // width, minlength=_BINS)
        ends = np.cumsum(counts)
        found = int(np.searchsorted(ends, place, side="right"))
        place -= int(ends[found] - counts[found])
        low += found * width
        high = min(low + width - 1, high)
    return low
