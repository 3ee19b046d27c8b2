"""The files of a prepared dataset that hold its records: windows as Parquet, and the quarantine."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.storage import join, read_bytes, write_bytes
from jepa_ray.windows.activity import Rejected
from jepa_ray.windows.table import RUN_TYPE, WINDOW_SCHEMA

_DIGEST = re.compile(r"-([0-9a-f]{8})\.parquet$")
_HASHES = ("window_uid", "actor", "project")
_DELTAS = {
    "source_id": "DELTA_BYTE_ARRAY",
    "window_start": "DELTA_BINARY_PACKED",
    "window_end": "DELTA_BINARY_PACKED",
}
_PARQUET: dict[str, Any] = {
    "compression": "zstd",
    # A dictionary of hashes costs more than it saves: zstd finds what repeats.
    "use_dictionary": [
        f"{name}.list.element.{child.name}" if name == "runs" else name
        for name in WINDOW_SCHEMA.names
        if name not in (*_HASHES, *_DELTAS)
        for child in (RUN_TYPE if name == "runs" else (WINDOW_SCHEMA.field(name),))
    ],
    "column_encoding": _DELTAS,
    "write_statistics": ["window_start"],
}


@dataclass(frozen=True)
class Part:
    """One file that was written: its name, rows (windows or quarantined records) and bytes."""

    name: str
    rows: int
    bytes: int


def write_part(target: str, name: str, table: pa.Table) -> Part:
    """Write `<target>/windows/<name>`, whole or not at all.

    Args:
        target: Folder of the dataset.
        name: Of the file; `{digest}` in it stands for a hash of the content.
        table: Rows of `WINDOW_SCHEMA`.
    """
    data = parquet_bytes(table)
    name = _named(name, data)
    write_bytes(join(target, "windows", name), data)
    return Part(name, len(table), len(data))


def parquet_bytes(table: pa.Table) -> bytes:
    """A table of `WINDOW_SCHEMA` as one Parquet file, zstd."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, WINDOW_SCHEMA, **_PARQUET) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def write_quarantine(target: str, name: str, rejected: Sequence[Rejected]) -> Part | None:
    """Write `<target>/quarantine/<name>`, a line a record; None when nothing was rejected.

    `{digest}` in the name stands for a hash of the content.
    """
    if not rejected:
        return None
    lines = [
        json.dumps({"locator": r.locator, "slug": r.slug, "detail": r.detail}) for r in rejected
    ]
    data = ("\n".join(lines) + "\n").encode()
    name = _named(name, data)
    write_bytes(join(target, "quarantine", name), data)
    return Part(name, len(rejected), len(data))


def exchanged(target: str, name: str) -> bool | None:
    """Whether a file of windows holds something else than was written as it.

    Args:
        target: Folder of the dataset, path or URL.
        name: Of the file; None is returned where it has no digest, as of other writers.
    """
    said = _DIGEST.search(name)
    return None if said is None else _digest(read_bytes(join(target, "windows", name))) != said[1]


def _named(name: str, data: bytes) -> str:
    return name.replace("{digest}", _digest(data))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=4).hexdigest()
