"""Records of the reference form as other producers write them, and windows of all shapes."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from jepa_ray.readers import RawItem
from jepa_ray.windows import FEATURES, POSITION_VALUES, SLOTS, Columns, SparseWindows, sparsify

DATASET = "colleague"


def tokens(*, slot: int = 56, decimals: int | None = 3, **features: float) -> list[list[float]]:
    """Tokens with one busy slot; positions rounded to so many decimals."""
    found = []
    for i in range(SLOTS):
        position = i / 95 if decimals is None else round(i / 95, decimals)
        found.append([position, position, *[0.0] * 14])
    for name, value in ({"task": 1.0, "source_confidence": 0.85} | features).items():
        found[slot][FEATURES.index(name)] = value
    return found


def record(**changes: Any) -> dict[str, Any]:
    """A record that another producer could write; keys given as `...` are left out."""
    plain = {
        "dataset": DATASET,
        "source_id": "7",
        "window_kind": "task",
        "window_start": "2026-06-01T14:01:00+00:00",
        "window_end": "2026-06-01T14:01:00+00:00",
        "tokens": tokens(),
        "metadata": {},
    } | changes
    return {key: value for key, value in plain.items() if value is not ...}


def lines(*records: dict[str, Any]) -> bytes:
    """Records as JSON lines."""
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)


def items(*records: dict[str, Any]) -> list[RawItem]:
    """A block of one chunk of lines."""
    return [RawItem(1, "", lines(*records))]


def write_side(folder: Path, text: bytes, *, dataset: str = DATASET, side: str = "train") -> Path:
    """Write `<folder>/<dataset>/<side>.jsonl.gz`; returns `folder`."""
    (folder / dataset).mkdir(parents=True, exist_ok=True)
    (folder / dataset / f"{side}.jsonl.gz").write_bytes(gzip.compress(text))
    return folder


def any_windows(n: int, seed: int = 0) -> SparseWindows:
    """n windows: empty ones, single slots, runs side by side, full days, values of all sizes."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((n, SLOTS, 16), np.float32)
    for i, window in enumerate(dense):
        for _ in range(i % 4):
            first = rng.integers(SLOTS)
            last = rng.choice([first, SLOTS - 1, min(first + 8, SLOTS - 1)])
            window[first : last + 1, rng.integers(2, 16)] = rng.random(dtype=np.float32)
        if i % 5 == 1:
            window[:, 9] = 1.0
        if i % 7 == 1:
            window[i % SLOTS, 12] = -0.0
        if i % 7 == 2:
            window[i % SLOTS, 12] = np.float32(1e-42)  # subnormal
    dense[:, :, :2] = POSITION_VALUES[:, None]
    return sparsify(dense)


def columns_of(windows: SparseWindows, **changes: Any) -> Columns:
    """Columns for some windows, a minute apart."""
    n = len(windows)
    found = Columns.instants(
        [str(i) for i in range(n)],
        1_780_322_460_000_000 + 60_000_000 * np.arange(n),
        np.zeros((n, 14), np.float32),
        offset_minutes=0,
    )
    for name, value in changes.items():
        before = getattr(found, name)
        filled = np.array(value, before.dtype) if isinstance(before, np.ndarray) else value
        setattr(found, name, filled)
    return found
