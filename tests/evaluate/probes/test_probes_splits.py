"""Sides: nobody and nothing on both."""

import numpy as np
import pytest

from jepa_ray.evaluate.probes.splits import sides, without_twins
from jepa_ray.windows import NO_TIME
from tests.evaluate.probes.made import CONFIG, busy, sample

N = 1200
ALL = np.arange(N)


@pytest.mark.parametrize("mode", [{}, {"grouped": True}, {"temporal": True}])
def test_no_actor_and_no_day_is_on_both_sides(mode):
    made = sample(busy(N), **mode)
    train, test = sides(made, ALL, CONFIG)
    assert len(train) > 50
    assert len(test) > 50
    assert not set(made.cluster[train]) & set(made.cluster[test])
    assert not set(made.day[train]) & set(made.day[test])


def test_a_cut_within_a_day_leaves_that_day_to_the_test():
    made = sample(busy(N), temporal=True)
    made.start_us[:] = (np.arange(N) // 200) * 86_400_000_000  # cut after 600, in the fourth day
    made.held_out[:] = np.arange(N) >= 700
    train, test = sides(made, ALL, CONFIG)
    assert set(made.day[test]) == {3, 4, 5}
    assert set(made.day[train]) == {0, 1, 2}


def test_windows_without_a_date_share_no_day():
    made = sample(busy(N))
    made.start_us[:] = NO_TIME
    train, test = sides(made, ALL, CONFIG)
    assert len(train) > 300
    assert len(test) > 150


def test_only_held_out_windows_are_tested_on():
    made = sample(busy(N))
    train, test = sides(made, ALL, CONFIG)
    assert made.held_out[test].all()
    assert not made.held_out[train].any()


def test_a_window_near_identical_to_a_test_window_is_not_fitted_on():
    dense = busy(N)
    _, test = sides(sample(dense), ALL, CONFIG)
    train, _ = sides(sample(dense), ALL, CONFIG)
    dense[test[0], :, 12] = np.float32(0.5) * (dense[test[0], :, 12] > 0)
    dense[train[0]] = dense[test[0]]
    dense[train[0], :, 12] += np.float32(0.001) * (dense[train[0], :, 12] > 0)
    dense = dense.clip(0, 1)
    again, same = sides(sample(dense), ALL, CONFIG)
    assert (same == test).all()
    assert set(train) - set(again) == {train[0]}


def test_windows_that_differ_are_no_twins():
    made = sample(busy(40))
    assert (without_twins(made.twin, np.arange(20), np.arange(20, 40)) == np.arange(20)).all()


def test_a_side_is_as_large_as_asked_for():
    small = CONFIG.model_copy(update={"train": 30, "test": 20})
    train, test = sides(sample(busy(N)), ALL, small)
    assert (len(train), len(test)) == (30, 20)
