"""Windows at rest: runs of slots with equal values; and their dense form.

A window is a list of runs (first slot, last slot, 14 stored values). Its runs are sorted and do not
overlap; slots outside all runs are zero but for the two positions. Dense -> sparse -> dense is
exact to the bit, a negative zero included.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows.contract import FEATURE_COUNT, POSITIONS, SLOTS, STORED

Float32 = NDArray[np.float32]

POSITION_VALUES: Float32 = (np.arange(SLOTS, dtype=np.float64) / (SLOTS - 1)).astype(np.float32)
"""Shape (96,), float32: features 0 and 1 of every window."""


@dataclass(frozen=True, eq=False)
class SparseWindows:
    """Runs of n windows with r runs in all.

    Attributes:
        offsets: int64 (n + 1,); window i owns runs offsets[i]:offsets[i + 1].
        first: uint8 (r,), first slot of a run, 0-95.
        last: uint8 (r,), last slot of a run (inclusive), 0-95.
        values: float32 (r, 14), the features of `STORED`, in [0, 1].
    """

    offsets: NDArray[np.int64]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    values: Float32

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes held by the four arrays."""
        return sum(a.nbytes for a in (self.offsets, self.first, self.last, self.values))

    def take(self, rows: NDArray[np.integer]) -> "SparseWindows":
        """The windows `rows`, in that order (repeats allowed)."""
        counts = self.offsets[rows + 1] - self.offsets[rows]
        runs = _ranges(self.offsets[rows], counts)
        return SparseWindows(_offsets(counts), self.first[runs], self.last[runs], self.values[runs])

    def densify(self, out: Float32 | None = None) -> Float32:
        """All windows as one dense batch.

        Args:
            out: float32 (n, 96, 16), C-contiguous; overwritten whole. None allocates one.

        Returns:
            `out`: float32 (n, 96, 16).

        Raises:
            ValueError: `out` has another shape, dtype or layout.
        """
        n = len(self)
        if out is None:
            out = np.empty((n, SLOTS, FEATURE_COUNT), np.float32)
        elif out.shape != (n, SLOTS, FEATURE_COUNT) or out.dtype != np.float32:
            raise ValueError(f"out must be float32 ({n}, 96, 16), found {out.dtype} {out.shape}")
        elif not out.flags.c_contiguous:
            raise ValueError("out must be C-contiguous; found a strided view")
        np.copyto(out, _EMPTY_WINDOW)
        slots, runs = self.scatter_indices()
        out.reshape(n * SLOTS, FEATURE_COUNT)[slots, POSITIONS:] = (
            self.values if runs is None else self.values[runs]
        )
        return out

    def scatter_indices(self) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Where each run's values go in a (n * 96, 16) batch.

        Returns:
            slots: int64 (m,), flat slot indices, each at most once.
            runs: int64 (m,), the run whose values stand there; None when it is simply 0..r-1
                (every run covers one slot).
        """
        counts = np.diff(self.offsets)
        window = np.repeat(np.arange(len(self), dtype=np.int64), counts)
        start = window * SLOTS + self.first
        length = self.last.astype(np.int64) - self.first + 1
        if not (length != 1).any():
            return start, None
        return _ranges(start, length), np.repeat(np.arange(len(length)), length)

    def fingerprints(self) -> NDArray[np.uint64]:
        """A 64-bit content hash of each window: equal windows, equal hash, on every machine.

        Returns:
            uint64 (n,). Times, ids and names do not enter, only slots and values.
        """
        state = mix64((self.first.astype(np.uint64) << np.uint64(8)) | self.last)
        bits = np.ascontiguousarray(self.values.T).view(np.uint32)
        for place, column in enumerate(bits, start=1):
            same = len(column) and (column == column[0]).all()  # most features are one value
            values = (column[:1] if same else column).astype(np.uint64)
            state ^= mix64(values | np.uint64(place << 32))
        total, counts = mix64(state), np.diff(self.offsets)
        if (counts != 1).any():
            window = np.repeat(np.arange(len(self)), counts)
            total, runs = np.zeros(len(self), np.uint64), total
            np.add.at(total, window, runs)
        return mix64(total)


def sparsify(dense: Float32) -> SparseWindows:
    """Turn dense windows into runs; slots whose 14 stored values are all zero are left out.

    Args:
        dense: float32 (n, 96, 16); the positions must be the contract's own, to the bit.

    Raises:
        ValueError: Another shape or dtype, a value outside [0, 1], not finite, or positions that
            are not slot / 95.
    """
    if dense.ndim != 3 or dense.shape[1:] != (SLOTS, FEATURE_COUNT) or dense.dtype != np.float32:
        raise ValueError(f"windows must be float32 (n, 96, 16), found {dense.dtype} {dense.shape}")
    if not np.all((dense >= 0) & (dense <= 1)):
        raise ValueError("a window holds a value outside [0, 1], or NaN")
    positions = np.ascontiguousarray(dense[:, :, :POSITIONS]).view(np.uint32)
    if (positions != POSITION_VALUES.view(np.uint32)[:, None]).any():  # a negative zero is another
        raise ValueError("slot_position and day_position must be slot / 95 in float32")
    bits = np.ascontiguousarray(dense[:, :, POSITIONS:]).view(np.uint32)
    busy: NDArray[np.bool_] = np.asarray(bits.any(axis=2))
    changed = np.any(bits[:, 1:] != bits[:, :-1], axis=2)
    window, first, last = _runs(busy, changed)
    return SparseWindows(
        _offsets(np.bincount(window, minlength=len(dense))),
        first.astype(np.uint8),
        last.astype(np.uint8),
        np.ascontiguousarray(dense[window, first, POSITIONS:]),
    )


def sparse_of_codes(codes: NDArray[np.integer], values: Float32) -> SparseWindows:
    """The same as `sparsify`, where each slot is given as a code of its 14 stored values.

    Args:
        codes: Integers (n, 96); 0 stands for all zero bits.
        values: float32 (k, 14), the values of each code, no two of them equal to the bit.
    """
    window, first, last = _runs(codes != 0, codes[:, 1:] != codes[:, :-1])
    return SparseWindows(
        _offsets(np.bincount(window, minlength=len(codes))),
        first.astype(np.uint8),
        last.astype(np.uint8),
        values[codes[window, first]],
    )


def _runs(
    busy: NDArray[np.bool_], changed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Window, first and last slot of each run; (n, 96) slots that are not zero, (n, 95) changes."""
    starts, ends = busy.copy(), busy.copy()
    starts[:, 1:] &= changed | ~busy[:, :-1]
    ends[:, :-1] &= changed | ~busy[:, 1:]
    window, first = np.nonzero(starts)
    return window, first, np.nonzero(ends)[1]


def concat(parts: Iterable[SparseWindows]) -> SparseWindows:
    """All windows of `parts`, in order."""
    items = list(parts)
    counts = [np.diff(item.offsets) for item in items]
    return SparseWindows(
        _offsets(np.concatenate(counts) if counts else np.zeros(0, np.int64)),
        np.concatenate([i.first for i in items] or [np.zeros(0, np.uint8)]),
        np.concatenate([i.last for i in items] or [np.zeros(0, np.uint8)]),
        np.concatenate([i.values for i in items] or [np.zeros((0, len(STORED)), np.float32)]),
    )


def mix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijective 64-bit mix (the finaliser of splitmix64), vectorised; wraps around silently.

    Source:
        Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _offsets(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def _ranges(start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate start[i] .. start[i] + length[i] - 1."""
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    found: NDArray[np.int64] = np.arange(total) + np.repeat(start - (ends - length), length)
    return found


def _empty_window() -> Float32:
    window = np.zeros((SLOTS, FEATURE_COUNT), np.float32)
    window[:, :POSITIONS] = POSITION_VALUES[:, None]
    return window


_EMPTY_WINDOW = _empty_window()
