"""What stats.json says: partial sums of one block, merged over all blocks. NumPy only.

`distinct` counts windows by content (slots and values; times, ids and names do not enter): it and
the entropy tell how much there is to learn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jepa_ray.windows.contract import FEATURES, POSITIONS, SLOTS, STORED
from jepa_ray.windows.sparse import POSITION_VALUES, SparseWindows

_ARRAYS = {
    **dict.fromkeys(("total", "squares", "low", "high"), "<f8"),
    **dict.fromkeys(("nonzero", "slots", "copies"), "<i8"),
    "contents": "<u8",
}


@dataclass(eq=False)
class Statistics:
    """Sums over n windows of 96 slots.

    Attributes:
        windows: n.
        total, squares: float64 (14,), sums of the stored values and of their squares over slots.
        low, high: float64 (14,), smallest and largest value over slots.
        nonzero: int64 (14,), slots with a value above 0.
        slots: int64 (96,), windows with any signal in a slot.
        contents, copies: uint64 (d,), int64 (d,): distinct window contents and how often each.
        earliest, latest: ISO local times of the first and last window; None without any.
    """

    windows: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    nonzero: NDArray[np.int64]
    slots: NDArray[np.int64]
    contents: NDArray[np.uint64]
    copies: NDArray[np.int64]
    earliest: str | None
    latest: str | None

    @staticmethod
    def of(windows: SparseWindows, starts: pa.ChunkedArray) -> "Statistics":
        """The statistics of one block of windows; `starts` is their `window_start` column."""
        first, last = windows.first.astype(np.int64), windows.last.astype(np.int64)
        length = (last - first + 1).astype(np.float64)
        edges = np.bincount(first, minlength=SLOTS + 1) - np.bincount(last + 1, minlength=SLOTS + 1)
        some_zero = length.sum() < len(windows) * SLOTS or not len(windows)
        sums = np.array(
            [_sums(column, length) for column in np.ascontiguousarray(windows.values.T)]
        )
        total, squares, low, high, nonzero = sums.T
        span = pc.min_max(starts).as_py()
        contents, copies = np.unique(windows.fingerprints(), return_counts=True)
        return Statistics(
            windows=len(windows),
            total=total,
            squares=squares,
            low=np.minimum(low, 0.0) if some_zero else low,
            high=np.maximum(high, 0.0),
            nonzero=nonzero.astype(np.int64),
            slots=np.cumsum(edges)[:SLOTS],
            contents=contents,
            copies=copies,
            earliest=span["min"].isoformat() if span["min"] else None,
            latest=span["max"].isoformat() if span["max"] else None,
        )

    @staticmethod
    def merge(parts: list["Statistics"]) -> "Statistics":
        """The statistics of all windows of `parts` (at least one)."""
        contents = np.concatenate([p.contents for p in parts])
        unique, inverse = np.unique(contents, return_inverse=True)
        copies = np.zeros(len(unique), np.int64)
        np.add.at(copies, inverse, np.concatenate([p.copies for p in parts]))
        busy = [p for p in parts if p.windows] or parts[:1]
        return Statistics(
            windows=sum(p.windows for p in parts),
            total=np.sum([p.total for p in parts], axis=0),
            squares=np.sum([p.squares for p in parts], axis=0),
            low=np.min([p.low for p in busy], axis=0),
            high=np.max([p.high for p in busy], axis=0),
            nonzero=np.sum([p.nonzero for p in parts], axis=0),
            slots=np.sum([p.slots for p in parts], axis=0),
            contents=unique,
            copies=copies,
            earliest=min((p.earliest for p in parts if p.earliest), default=None),
            latest=max((p.latest for p in parts if p.latest), default=None),
        )

    def state(self) -> dict[str, Any]:
        """All of it as JSON values, exact; `of_state` takes it back."""
        state: dict[str, Any] = {
            name: getattr(self, name) for name in ("windows", "earliest", "latest")
        }
        for name, dtype in _ARRAYS.items():
            array = getattr(self, name).astype(dtype)
            state[name] = array.tobytes().hex()
        return state

    @staticmethod
    def of_state(state: dict[str, Any]) -> "Statistics":
        """The statistics that gave `state`; KeyError, TypeError or ValueError if none did."""
        arrays: dict[str, Any] = {
            name: np.frombuffer(bytes.fromhex(state[name]), dtype)
            for name, dtype in _ARRAYS.items()
        }
        scalars: dict[str, Any] = {name: state[name] for name in ("windows", "earliest", "latest")}
        found = Statistics(**scalars, **arrays)
        shapes = {name: len(array) for name, array in arrays.items()}
        if found.copies.sum() != found.windows or shapes != {
            **dict.fromkeys(("total", "squares", "low", "high", "nonzero"), len(STORED)),
            "slots": SLOTS,
            **dict.fromkeys(("copies", "contents"), len(found.contents)),
        }:
            raise ValueError("no statistics that add up")
        return found

    @property
    def entropy_bits(self) -> float:
        """Shannon entropy of the window contents in bits; 0 when all windows are equal."""
        if not self.windows:
            return 0.0
        share = self.copies / self.windows
        return abs(float(-(share * np.log2(share)).sum()))

    def document(self) -> dict[str, Any]:
        """stats.json."""
        cells = max(self.windows * SLOTS, 1)
        features = {name: _position() for name in FEATURES[:POSITIONS]}
        for i, name in enumerate(FEATURES[POSITIONS:]):
            mean = self.total[i] / cells
            features[name] = {
                "min": float(self.low[i]),
                "mean": float(mean),
                "std": float(np.sqrt(max(self.squares[i] / cells - mean**2, 0.0))),
                "max": float(self.high[i]),
                "nonzero_share": float(self.nonzero[i] / cells),
            }
        return {
            "windows": self.windows,
            "distinct_windows": len(self.contents),
            "entropy_bits": self.entropy_bits,
            "effective_windows": 2**self.entropy_bits,
            "earliest": self.earliest,
            "latest": self.latest,
            "slot_histogram": self.slots.tolist(),
            "features": features,
        }


def _sums(column: NDArray[np.float32], length: NDArray[np.float64]) -> tuple[float, ...]:
    """Over the slots of runs: sum, sum of squares, smallest, largest, how many above 0."""
    if not len(column):
        return 0.0, 0.0, np.inf, -np.inf, 0.0
    low, high = float(column.min()), float(column.max())
    if low == high:  # as most features are
        slots = float(length.sum())
        return slots * low, slots * low**2, low, high, slots * (low > 0)
    weighted = length * column
    above = float((length * (column > 0)).sum())
    return float(weighted.sum()), float((weighted * column).sum()), low, high, above


def _position() -> dict[str, float]:
    values = POSITION_VALUES.astype(np.float64)
    return {
        "min": 0.0,
        "mean": float(values.mean()),
        "std": float(values.std()),
        "max": 1.0,
        "nonzero_share": float((values > 0).mean()),
    }
