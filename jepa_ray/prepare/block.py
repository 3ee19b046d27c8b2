"""One raw block -> one part file and its account. No Ray; writes at most two files.

The names of the files follow from the block's place, so a task that runs twice writes the same
files with the same content.
"""

import pickle
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa

from jepa_ray.adapters import Adapter, parse_block
from jepa_ray.readers import RawBlock, RawDefect, RawItem
from jepa_ray.windows import (
    WINDOW_SCHEMA,
    ActivityBatch,
    Part,
    Statistics,
    record_windows,
    window_table,
    write_part,
    write_quarantine,
)

RAW_SCHEMA = pa.schema(
    [
        pa.field("shard", pa.int32()),
        pa.field("file", pa.int32()),
        pa.field("source", pa.string()),
        pa.field("number", pa.int64()),
        pa.field("name", pa.binary()),
        pa.field("data", pa.large_binary()),
        pa.field("slug", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
"""A raw block on its way between Ray tasks: a row an item or a defect."""


@dataclass(frozen=True)
class BlockReport:
    """The account of one block: every record of it is a window, a skip or in the quarantine.

    Attributes:
        place: (shard, file, number) of its first row: the order of blocks.
        records: By source label.
        expanded: Windows beyond the first of their record.
        skipped, quarantined: Records by reason and by slug.
        part: The part file; None when there is no window.
        quarantine: Name of the quarantine file; None when nothing was rejected.
        statistics: Of the windows; None when there is none.
    """

    place: tuple[int, int, int]
    records: Counter[str]
    expanded: int
    skipped: Counter[str]
    quarantined: Counter[str]
    part: Part | None
    quarantine: str | None
    statistics: Statistics | None

    def dumps(self) -> bytes:
        """Bytes for Ray; only ever read back by `loads` in the same run."""
        return pickle.dumps(self)

    @staticmethod
    def loads(data: bytes) -> "BlockReport":
        """The report that a task of the same run dumped."""
        report: BlockReport = pickle.loads(data)  # noqa: S301 - from our own task, through Ray
        return report


def raw_table(shard: int, file: int, source: str, block: RawBlock) -> pa.Table:
    """A raw block as rows of `RAW_SCHEMA`."""
    items = [item if isinstance(item, RawItem) else None for item in block]
    defects = [item if isinstance(item, RawDefect) else None for item in block]
    names = [i.name.encode("utf-8", "surrogateescape") if i else None for i in items]
    columns: list[list[Any]] = [
        [shard] * len(block),
        [file] * len(block),
        [source] * len(block),
        [item.number for item in block],
        names,
        [i.data if i else None for i in items],
        [d.slug if d else None for d in defects],
        [d.detail if d else None for d in defects],
    ]
    return pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, RAW_SCHEMA, strict=True)], schema=RAW_SCHEMA
    )


def process_block(adapter: Adapter, table: pa.Table, *, target: str, key: str) -> BlockReport:
    """Parse a raw block, write its windows and its quarantine, and account for every record.

    Args:
        adapter: Of the dataset.
        table: Rows of `RAW_SCHEMA`, all of one shard, at least one.
        target: Folder of the dataset.
        key: Marks the files of this preparation.
    """
    rows = table.to_pylist()
    place = (rows[0]["shard"], rows[0]["file"], rows[0]["number"])
    records: Counter[str] = Counter()
    batches: list[ActivityBatch] = []
    for source, group in groupby(rows, key=lambda row: str(row["source"])):
        batches.append(parse_block(adapter, source, [_raw_item(row) for row in group]))
        records[source] += batches[-1].records
    batch = ActivityBatch.join(adapter.kind, batches)
    stem = f"{key}-{place[0]:05d}-{place[1]:05d}-{place[2]:010d}"
    part, statistics = _write_windows(adapter, batch, target, f"part-{stem}.parquet")
    return BlockReport(
        place=place,
        records=records,
        expanded=batch.expanded,
        skipped=batch.skipped,
        quarantined=Counter(r.slug for r in batch.rejected),
        part=part,
        quarantine=write_quarantine(target, f"bad-{stem}.jsonl", batch.rejected),
        statistics=statistics,
    )


def _raw_item(row: dict[str, Any]) -> RawItem | RawDefect:
    if row["slug"] is not None:
        return RawDefect(row["number"], row["slug"], row["detail"])
    return RawItem(row["number"], row["name"].decode("utf-8", "surrogateescape"), row["data"])


def _write_windows(
    adapter: Adapter, batch: ActivityBatch, target: str, name: str
) -> tuple[Part | None, Statistics | None]:
    if not len(batch.columns):
        return None, None
    windows = record_windows(batch.columns)
    table = window_table(adapter.info.dataset, batch.kind, batch.columns, windows)
    return write_part(target, name, table), Statistics.of(windows, table["window_start"])


def write_empty_part(target: str) -> Part:
    """A file of no windows: what a blocked dataset has."""
    return write_part(target, "part-empty.parquet", WINDOW_SCHEMA.empty_table())
