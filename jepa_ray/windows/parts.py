"""The files of a prepared dataset that hold its records: windows as Parquet, and the quarantine."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.storage import join, write_bytes
from jepa_ray.windows.activity import Rejected
from jepa_ray.windows.table import WINDOW_SCHEMA


@dataclass(frozen=True)
class Part:
    """One Parquet file of windows: its name, rows and bytes."""

    name: str
    rows: int
    bytes: int


def write_part(target: str, name: str, table: pa.Table) -> Part:
    """Write `<target>/windows/<name>`, whole or not at all.

    Args:
        target: Folder of the dataset.
        name: Of the file.
        table: Rows of `WINDOW_SCHEMA`.
    """
    data = parquet_bytes(table)
    write_bytes(join(target, "windows", name), data)
    return Part(name, len(table), len(data))


def parquet_bytes(table: pa.Table) -> bytes:
    """A table of `WINDOW_SCHEMA` as one Parquet file, zstd."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, WINDOW_SCHEMA, compression="zstd") as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def write_quarantine(target: str, name: str, rejected: Sequence[Rejected]) -> str | None:
    """Write `<target>/quarantine/<name>`, a line a record; None when nothing was rejected."""
    if not rejected:
        return None
    lines = [
        json.dumps({"locator": r.locator, "slug": r.slug, "detail": r.detail}) for r in rejected
    ]
    write_bytes(join(target, "quarantine", name), ("\n".join(lines) + "\n").encode())
    return name
