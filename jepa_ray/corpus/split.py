"""The split: a function of a seed and of the windows, never a file.

A window's side depends on nothing but its own key and the seed, so the sides are the same for any
number of workers, block size and order of files; re-splitting writes nothing. The one exception:
a dataset of two windows or more has at least one on each side, so the smallest hash always goes to
validation and the largest to training.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.errors import CorpusError
from jepa_ray.windows import NO_TIME, mix64

Mask = NDArray[np.bool_]


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


def validation_mask(dataset: str, keys: SplitKeys, config: SplitConfig) -> Mask:
    """Which windows are held out.

    Args:
        dataset: For messages only: the same window falls on the same side in any dataset.
        keys: Of the dataset's windows, in any order.
        config: Mode, seed and share.

    Returns:
        bool (n,), True for validation. A single window is for training.

    Raises:
        CorpusError: The mode cannot split this dataset: one group only, or no times.
    """
    if len(keys.uid) < 2:
        return np.zeros(len(keys.uid), np.bool_)
    if config.mode == "temporal":
        return _temporal(dataset, keys.start_us, config)
    if config.mode == "grouped":
        group = np.where(keys.group == 0, keys.uid, keys.group)
        if (group == group[0]).all():
            raise CorpusError(
                f"{dataset}: all windows belong to one group, so split mode 'grouped' cannot hold "
                "any out; use split.mode=random_resplit or temporal"
            )
        return _hashed(group, config)
    return _hashed(keys.uid, config)


def _hashed(key: NDArray[np.uint64], config: SplitConfig) -> Mask:
    """hash(seed, key) < val_fraction, with the smallest and the largest hash on either side."""
    hashes = mix64(key ^ mix64(np.array([config.seed], np.uint64))[0])
    held_out = hashes < np.uint64(int(config.val_fraction * 2**64))
    held_out |= hashes == hashes.min()
    held_out &= hashes != hashes.max()
    return held_out


def _temporal(dataset: str, start_us: NDArray[np.int64], config: SplitConfig) -> Mask:
    """Windows from the cut on; untimed ones are for training."""
    timed = start_us != NO_TIME
    moments = start_us[timed]
    after_first = moments[moments > moments.min(initial=np.iinfo(np.int64).max)]
    if not len(after_first):
        raise CorpusError(
            f"{dataset}: fewer than two distinct window times, so split mode 'temporal' cannot "
            "cut; use split.mode=random_resplit or grouped"
        )
    if config.cut is not None:
        epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local wall clocks
        cut = (config.cut.replace(tzinfo=None) - epoch) // dt.timedelta(microseconds=1)
    else:
        place = min(int(len(moments) * (1 - config.val_fraction)), len(moments) - 1)
        cut = int(np.partition(moments, place)[place])
    cut = min(max(cut, int(after_first.min())), int(after_first.max()))
    held_out: Mask = timed & (start_us >= cut)
    return held_out
