"""Sides of a task: no actor, day or near-identical window on both; never a trained-on test."""

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Index
from jepa_ray.evaluate.probes.sample import Sample, hashed, order_of
from jepa_ray.windows import NO_TIME

GROUPED = (
    "Tested on held-out windows of the checkpoint's split and fitted on training windows; no actor "
    "or project and no calendar day on both sides, windows that look near-identical to a test "
    "window left out of the fit."
)


def sides(
    sample: Sample, eligible: Index, config: ProbeConfig, twin: NDArray[np.uint64] | None = None
) -> tuple[Index, Index]:
    """Training and test rows among those that a task can use.

    Where the checkpoint's split does not keep actors apart, actors are parted by a hash: the
    training windows of some are for fitting, the held-out windows of the others for testing. Days
    are parted in the same way, unless the split is by time: then the days of test windows are left
    out of the fit. Windows without a date share no day with any. A dataset that is left with a
    handful of windows on one side is left out.

    Args:
        sample: All windows.
        eligible: Rows that the task can use.
        config: How many of each side.
        twin: What makes windows near-identical; None: `sample.twin`.

    Returns:
        Rows of the sample: at most `config.train` and `config.test`, datasets in turn.
    """
    held_out = sample.held_out[eligible]
    for_test = _test_groups(sample, eligible, config)
    twin = sample.twin if twin is None else twin
    to_fit, to_test = _days(sample, eligible, config)
    test = eligible[held_out & for_test & to_test]
    train = eligible[~held_out & ~for_test & to_fit]
    train = train[~np.isin(sample.day[train], sample.day[test]) | ~_dated(sample, train)]
    test = order_of(sample, test, config.seed)[: config.test]
    train = without_twins(twin, train, test)
    train = order_of(sample, train, config.seed)[: config.train]
    counts = [
        np.bincount(sample.dataset[rows], minlength=len(sample.names)) for rows in (train, test)
    ]
    enough = np.minimum(*counts) >= config.min_class
    if not enough.any():
        return train, test  # too few on the whole: the caller says how many
    return train[enough[sample.dataset[train]]], test[enough[sample.dataset[test]]]


def without_twins(twin: NDArray[np.uint64], train: Index, test: Index) -> Index:
    """Training rows that are not near-identical to a test row."""
    return train[~np.isin(twin[train], twin[test])]


def _days(
    sample: Sample, rows: Index, config: ProbeConfig
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows whose day is for fitting, and rows whose day is for testing."""
    if sample.temporal:
        return np.ones(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    dated = _dated(sample, rows)
    late: NDArray[np.bool_] = hashed(sample.day[rows], config.seed, 4) < config.test_groups
    return ~dated | ~late, ~dated | late


def _dated(sample: Sample, rows: Index) -> NDArray[np.bool_]:
    return np.asarray(sample.start_us[rows] != NO_TIME)


def _test_groups(sample: Sample, eligible: Index, config: ProbeConfig) -> np.ndarray:
    if sample.grouped:
        return sample.held_out[eligible]
    share = hashed(sample.cluster[eligible], config.seed, 1)
    found: np.ndarray = share < config.test_groups
    return found
