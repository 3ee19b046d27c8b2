"""Windows with their uids, gathered into arrays that are allocated once."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows import STORED, SparseWindows, concat

RUN_BYTES = 58
"""A run in memory: first and last slot, 14 float32."""

WINDOW_BYTES = 16
"""A window in memory beside its runs: offset and uid."""


class Rows(NamedTuple):
    """n windows and their uids, uint64 (n,)."""

    windows: SparseWindows
    uids: NDArray[np.uint64]

    def take(self, rows: NDArray[np.integer]) -> "Rows":
        """The windows `rows`, in that order (repeats allowed)."""
        return Rows(self.windows.take(rows), self.uids[rows])


def joined(pieces: list[Rows]) -> Rows:
    """All windows of `pieces`, in order."""
    if len(pieces) == 1:
        return pieces[0]
    uids = np.concatenate([np.zeros(0, np.uint64), *(p.uids for p in pieces)])
    return Rows(concat(p.windows for p in pieces), uids)


class Space:
    """Arrays that are allocated once and may be filled again and again.

    Memory that is not filled is never touched, so it is not resident.

    Args:
        windows: How many it can hold.
        runs: How many runs they can have in all.
    """

    def __init__(self, windows: int, runs: int) -> None:
        self._offsets = np.zeros(windows + 1, np.int64)
        self._first, self._last = np.empty(runs, np.uint8), np.empty(runs, np.uint8)
        self._values = np.empty((runs, len(STORED)), np.float32)
        self._uids = np.empty(windows, np.uint64)

    def fill(self, pieces: Iterable[Rows]) -> Rows:
        """All windows of `pieces`, in order; what came of an earlier call is overwritten."""
        window = run = 0
        for piece in pieces:
            windows, uids = piece
            ends, runs = window + len(uids), run + len(windows.first)
            self._offsets[window + 1 : ends + 1] = windows.offsets[1:] + run
            self._uids[window:ends] = uids
            self._first[run:runs] = windows.first
            self._last[run:runs] = windows.last
            self._values[run:runs] = windows.values
            window, run = ends, runs
        filled = SparseWindows(
            self._offsets[: window + 1], self._first[:run], self._last[:run], self._values[:run]
        )
        return Rows(filled, self._uids[:window])
