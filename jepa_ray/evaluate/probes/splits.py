"""Sides of a task: no actor and no near-identical window on both, and never a trained-on test."""

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Index
from jepa_ray.evaluate.probes.sample import Sample, hashed, order_of

GROUPED = (
    "Tested on held-out windows of the checkpoint's split and fitted on training windows; no actor "
    "or project on both sides, windows that look near-identical to a test window left out of the "
    "fit."
)


def sides(
    sample: Sample, eligible: Index, config: ProbeConfig, twin: NDArray[np.uint64] | None = None
) -> tuple[Index, Index]:
    """Training and test rows among those that a task can use.

    Where the checkpoint's split does not keep actors apart, actors are parted by a hash: the
    training windows of some are for fitting, the held-out windows of the others for testing. A
    dataset that is left with a handful of windows on one side is left out.

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
    test = order_of(sample, eligible[held_out & for_test], config.seed)[: config.test]
    train = without_twins(twin, eligible[~held_out & ~for_test], test)
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


def _test_groups(sample: Sample, eligible: Index, config: ProbeConfig) -> np.ndarray:
    if sample.grouped:
        return sample.held_out[eligible]
    share = hashed(sample.cluster[eligible], config.seed, 1)
    found: np.ndarray = share < config.test_groups
    return found
