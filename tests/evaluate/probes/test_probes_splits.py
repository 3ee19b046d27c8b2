"""Sides: nobody and nothing on both."""

import numpy as np
import pytest

from jepa_ray.evaluate.probes.splits import sides, without_twins
from tests.evaluate.probes.made import CONFIG, busy, sample

ALL = np.arange(400)


@pytest.mark.parametrize("grouped", [False, True])
def test_no_actor_is_on_both_sides(grouped):
    made = sample(busy(400), grouped=grouped)
    train, test = sides(made, ALL, CONFIG)
    assert len(train) > 50
    assert len(test) > 50
    assert not set(made.cluster[train]) & set(made.cluster[test])


def test_only_held_out_windows_are_tested_on():
    made = sample(busy(400))
    train, test = sides(made, ALL, CONFIG)
    assert made.held_out[test].all()
    assert not made.held_out[train].any()


def test_a_window_near_identical_to_a_test_window_is_not_fitted_on():
    dense = busy(400)
    _, test = sides(sample(dense), ALL, CONFIG)
    train, _ = sides(sample(dense), ALL, CONFIG)
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
    train, test = sides(sample(busy(400)), ALL, small)
    assert (len(train), len(test)) == (30, 20)
