"""How far a hidden slot is from what the model sees."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa_ray.model import Masks
from jepa_ray.windows import SLOTS

Int64 = NDArray[np.int64]

BINS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, SLOTS - 1))
"""Distances in slots that are told together, both ends included."""


class Nearest(NamedTuple):
    """The nearest visible slot of each hidden one; the earlier of two.

    Attributes:
        slot: int64 [B, H].
        distance: int64 [B, H], in slots, 1 to 95.
    """

    slot: Int64
    distance: Int64


def nearest_visible(masks: Masks) -> Nearest:
    """Find it for masks with at least one visible slot in each window."""
    seen = np.zeros((len(masks.visible), SLOTS), np.bool_)
    np.put_along_axis(seen, masks.visible, values=True, axis=1)
    slots = np.arange(SLOTS)
    far = 2 * SLOTS
    before = np.maximum.accumulate(np.where(seen, slots, -far), axis=1)
    after = np.minimum.accumulate(np.where(seen, slots, SLOTS + far)[:, ::-1], axis=1)[:, ::-1]
    nearest = np.where(slots - before <= after - slots, before, after)
    slot = np.take_along_axis(nearest, masks.hidden, axis=1)
    return Nearest(slot, np.abs(masks.hidden - slot))


def bin_of(distance: Int64) -> Int64:
    """Places in `BINS`."""
    return np.searchsorted([last for _, last in BINS], distance).astype(np.int64)
