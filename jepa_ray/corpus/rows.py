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


def gathered(pieces: Iterable[Rows], *, windows: int, runs: int) -> Rows:
    """All windows of `pieces`, holding no more than one of them beside the result.

    Args:
        pieces: In order.
        windows: How many they are.
        runs: How many runs they have at most; pages of the rest are never touched.
    """
    offsets = np.zeros(windows + 1, np.int64)
    first, last = np.empty(runs, np.uint8), np.empty(runs, np.uint8)
    values = np.empty((runs, len(STORED)), np.float32)
    uids = np.empty(windows, np.uint64)
    window = run = 0
    for piece in pieces:
        n, r = len(piece.uids), len(piece.windows.first)
        offsets[window + 1 : window + n + 1] = piece.windows.offsets[1:] + run
        uids[window : window + n] = piece.uids
        for whole, part in (
            (first, piece.windows.first),
            (last, piece.windows.last),
            (values, piece.windows.values),
        ):
            whole[run : run + r] = part
        window, run = window + n, run + r
    assert window == windows, "the pieces have another number of windows"
    return Rows(SparseWindows(offsets, first[:run], last[:run], values[:run]), uids)
