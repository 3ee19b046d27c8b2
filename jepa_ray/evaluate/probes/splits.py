"""Sides of a task: no actor and no near-identical window on both, and never a trained-on test."""

import numpy as np

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Index
from jepa_ray.evaluate.probes.sample import Sample, hashed, order_of

GROUPED = (
    "Tested on held-out windows of the checkpoint's split and fitted on training windows; no actor "
    "or project on both sides, windows near-identical to a test window left out of the fit."
)


def sides(sample: Sample, eligible: Index, config: ProbeConfig) -> tuple[Index, Index]:
    """Training and test rows among those that a task can use.

    Where the checkpoint's split does not keep actors apart, actors are parted by a hash: the
    training windows of some are for fitting, the held-out windows of the others for testing.

    Returns:
        Rows of the sample: at most `config.train` and `config.test`, datasets in turn.
    """
    held_out = sample.held_out[eligible]
    for_test = _test_groups(sample, eligible, config)
    test = order_of(sample, eligible[held_out & for_test], config.seed)[: config.test]
    train = eligible[~held_out & ~for_test]
    train = without_twins(sample, train, test)
    return order_of(sample, train, config.seed)[: config.train], test


def without_twins(sample: Sample, train: Index, test: Index) -> Index:
    """Training rows that are not near-identical to a test row."""
    return train[~np.isin(sample.twin[train], sample.twin[test])]


def _test_groups(sample: Sample, eligible: Index, config: ProbeConfig) -> np.ndarray:
    if sample.grouped:
        return sample.held_out[eligible]
    share = hashed(sample.cluster[eligible], config.seed, 1)
    found: np.ndarray = share < config.test_groups
    return found
