"""Prepared datasets of made-up windows, written fast by the project's own writer.

Every part holds the same windows under other uids: what is read costs the same.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from jepa_ray.windows import (
    CONTRACT_VERSION,
    SLOTS,
    STORED,
    WINDOW_SCHEMA,
    SparseWindows,
    write_part,
)
from jepa_ray.windows.table import runs_array

DATASET = "gharchive"
PART = 1 << 16


def write_corpus(folder: Path, windows: int, *, runs: int = 1, part: int = PART) -> None:
    """A dataset of windows of `runs` slots each, in parts of `part` windows, as prepare leaves it.

    Args:
        folder: The processed folder.
        windows: How many.
        runs: Runs of a window: 1 for an event, more for a day.
        part: Windows of a part.
    """
    rng = np.random.default_rng(0)
    table, parts = part_table(rng, min(part, windows), runs), []
    for start in range(0, windows, part):
        piece = table.slice(0, min(part, windows - start))
        uids = pa.array(rng.integers(0, 2**64, len(piece), dtype=np.uint64))
        piece = piece.set_column(0, piece.schema.field(0), uids)
        parts.append(write_part(str(folder / DATASET), f"part-{start:010d}.parquet", piece))
    manifest = {
        "contract_version": CONTRACT_VERSION,
        "dataset": DATASET,
        "status": "completed",
        "reason": None,
        "fingerprint": "made-up",
        "records": windows,
        "windows": windows,
        "expanded": 0,
        "distinct_windows": windows,
        "skipped": {},
        "quarantined": {},
        "quarantine": [],
        "parts": [asdict(part) for part in parts],
    }
    (folder / DATASET / "manifest.json").write_text(json.dumps(manifest))


def part_table(rng: np.random.Generator, n: int, runs: int) -> pa.Table:
    """Rows of `WINDOW_SCHEMA`: an hour of GH Archive."""
    moments = pa.array(1_700_000_000_000_000 + np.sort(rng.integers(0, 3_600_000_000, n)))
    moments = moments.cast(pa.timestamp("us"))
    uid, actor, project = (pa.array(rng.integers(1, 2**64, n, np.uint64)) for _ in range(3))
    columns = {
        "window_uid": uid,
        "source_id": [str(50_000_000_000 + i) for i in range(n)],
        "window_kind": ["code_event"] * n,
        "window_start": moments,
        "window_end": moments,
        "utc_offset_minutes": np.zeros(n, np.int16),
        "timed": np.ones(n, np.bool_),
        "due": pa.nulls(n, pa.timestamp("us")),
        "actor": actor,
        "project": project,
        "category": ["PushEvent"] * n,
        "metadata": ["{}"] * n,
        "runs": runs_array(windows_of(rng, n, runs)),
    }
    return pa.table(columns, schema=WINDOW_SCHEMA)


def windows_of(rng: np.random.Generator, n: int, runs: int) -> SparseWindows:
    """Windows with `runs` busy slots, which differ in their text length."""
    slots = rng.permuted(np.tile(np.arange(SLOTS, dtype=np.uint8), (n, 1)), axis=1)[:, :runs]
    slots = np.sort(slots, axis=1).ravel()
    values = np.zeros((n * runs, len(STORED)), np.float32)
    values[:, [3, 4, 12]] = 1.0, 1.0, 0.9
    values[:, 10] = rng.integers(0, 5001, n * runs).astype(np.float32) / 5000
    return SparseWindows(np.arange(n + 1) * runs, slots, slots, values)
