"""Windows for the tests of the corpus."""

import numpy as np

from jepa_ray.windows import FEATURE_COUNT, POSITION_VALUES, SLOTS, SparseWindows, sparsify


def days(n: int, seed: int = 0) -> SparseWindows:
    """n days: empty ones, single slots, overlapping runs and full days."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((n, SLOTS, FEATURE_COUNT), np.float32)
    dense[:, :, :2] = POSITION_VALUES[:, None]
    for window in dense:
        for _ in range(rng.integers(0, 4)):
            first = rng.integers(SLOTS)
            last = rng.choice([first, SLOTS - 1, min(first + 8, SLOTS - 1)])
            window[first : last + 1, rng.integers(2, 16)] = rng.random(dtype=np.float32)
    return sparsify(dense)


def moments(n: int) -> SparseWindows:
    """n windows of one slot each, told apart by one value."""
    values = np.zeros((n, 14), np.float32)
    values[:, 0] = (np.arange(n) + 1) / max(n, 1)
    slot = (np.arange(n) % SLOTS).astype(np.uint8)
    return SparseWindows(np.arange(n + 1), slot, slot, values)
