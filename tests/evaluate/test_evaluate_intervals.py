"""Intervals against what theory says."""

import numpy as np
import pytest

from jepa_ray.evaluate.intervals import percentile_interval, resamples, spread


def test_rows_of_one_group_are_drawn_together_and_equally_many_groups_in_all():
    groups = np.array([7, 7, 3, 9, 9, 9])
    for counts in resamples(groups, draws=20, seed=1):
        assert counts[0] == counts[1]
        assert counts[3] == counts[4] == counts[5]
        assert counts[0] + counts[2] + counts[3] == 3


def test_the_same_seed_draws_the_same():
    one, two = (list(resamples(np.arange(50), draws=3, seed=5)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error():
    values = np.random.default_rng(0).normal(size=2000)
    means = [float(values @ c / c.sum()) for c in resamples(np.arange(2000), draws=500, seed=0)]
    low, high = percentile_interval(means)
    assert high - low == pytest.approx(2 * 1.96 / 2000**0.5, rel=0.15)


def test_resamples_that_are_not_finite_are_left_out():
    assert percentile_interval([1.0, float("nan"), 1.0]) == (1.0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        percentile_interval([float("inf")])


def test_the_interval_over_seeds_is_students():
    found = spread([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.high - found.mean == pytest.approx(4.302653 / 3**0.5, rel=1e-6)


def test_one_seed_has_no_width():
    assert spread([2.5]) == (2.5, 0.0, 2.5, 2.5, 1)
    with pytest.raises(ValueError, match="no seed"):
        spread([])
