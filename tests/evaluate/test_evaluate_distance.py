"""Distances to the nearest visible slot, by hand and against the slow way."""

import numpy as np
import pytest

from jepa_ray.config import MaskConfig
from jepa_ray.evaluate.distance import BINS, bin_of, nearest_visible
from jepa_ray.model import Masks, draw_masks


def masks(*hidden: list[int]) -> Masks:
    seen = [[slot for slot in range(96) if slot not in row] for row in hidden]
    return Masks(np.array(seen), np.array(hidden))


def test_in_a_span_the_ends_are_near_and_the_middle_is_far():
    found = nearest_visible(masks([10, 11, 12, 13, 14]))
    assert found.distance.tolist() == [[1, 2, 3, 2, 1]]
    assert found.slot.tolist() == [[9, 9, 9, 15, 15]]


def test_at_the_ends_of_the_day_there_is_one_side_only():
    found = nearest_visible(masks([0, 1, 95]))
    assert found.slot.tolist() == [[2, 2, 94]]
    assert found.distance.tolist() == [[2, 1, 1]]


@pytest.mark.parametrize("kind", ["span", "blocks", "future", "random"])
def test_it_is_the_least_distance_over_all_visible_slots(kind):
    drawn = draw_masks(MaskConfig(kind=kind), seed=3, step=1, batch=20)
    found = nearest_visible(drawn)
    gaps = np.abs(drawn.hidden[:, :, None] - drawn.visible[:, None, :])
    assert (found.distance == gaps.min(axis=2)).all()
    chosen = np.take_along_axis(drawn.visible, gaps.argmin(axis=2), axis=1)  # the first: earlier
    assert (found.slot == chosen).all()


def test_every_distance_has_the_bin_that_holds_it():
    distance = np.arange(1, 96)
    ends = np.array(BINS)[bin_of(distance)]
    assert (ends[:, 0] <= distance).all()
    assert (distance <= ends[:, 1]).all()
