"""What travels through the shuffle of `actor_day` windowing, and what becomes of it. No Ray.

A table of rows is made where a block is parsed: the runs of each actor's day (already combined: an
actor who does much in one hour is few rows), and one row with the report of the block. `partition`
says where a row belongs; all of an actor's day have the same. What comes out of the shuffle is a
table with all rows of some partitions; each gives one file of windows.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jepa_ray.adapters import parse_block
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import BlockReport, PartWriter
from jepa_ray.readers import RawBlock
from jepa_ray.windows import (
    ACTOR_DAY,
    STORED,
    ActivityBatch,
    DayRuns,
    Part,
    Statistics,
    actor_day_windows,
    combine,
    day_runs,
    mix64,
    window_table,
    write_part,
)

_VALUES = pa.binary(4 * len(STORED))
_TYPES = {
    "actor": pa.uint64(),
    "by_project": pa.bool_(),
    "day": pa.int32(),
    "first": pa.uint8(),
    "last": pa.uint8(),
    "values": _VALUES,
    "project": pa.uint64(),
    "offset_minutes": pa.int16(),
    "timed": pa.bool_(),
    "activities": pa.int32(),
}
assert list(_TYPES) == [f.name for f in fields(DayRuns)]
DAY_SCHEMA = pa.schema({"partition": pa.int32(), **_TYPES, "report": pa.large_binary()})
"""A row is a run, or a report (then all but `partition` is null)."""
REPORTS = -1
"""The partition of reports."""


@dataclass(frozen=True)
class BlockSent:
    """What a parsing task did: the report of its block, and how many runs it sent."""

    block: BlockReport
    runs: int


@dataclass(frozen=True)
class PartitionReport:
    """What became of one partition: the runs that came, and the file of its windows."""

    partition: int
    runs: int
    part: Part
    statistics: Statistics


Report = BlockSent | PartitionReport


class DayWriter(PartWriter):
    """Parses raw blocks of one shard as they come; a flush gives rows instead of a file."""

    _runs: DayRuns

    def rows_of(self, report: BlockReport, partitions: int) -> pa.Table:
        """What the last flush has to send on.

        Args:
            report: That the flush returned.
            partitions: How many there are.
        """
        runs = self._runs
        columns = [pa.array(partition_of(runs, partitions))]
        for name, kind in _TYPES.items():
            column = getattr(runs, name)
            columns.append(_packed(column) if kind is _VALUES else pa.array(column, kind))
        columns.append(pa.nulls(len(runs), pa.large_binary()))
        return pa.concat_tables(
            [pa.table(columns, schema=DAY_SCHEMA), report_row(BlockSent(report, len(runs)))]
        )

    def _parse(self, source: str, block: RawBlock) -> ActivityBatch:
        return parse_block(self._adapter, source, block, history=True)

    def _begin(self) -> None:
        super()._begin()
        self._batches: list[ActivityBatch] = []

    def _take(self, batch: ActivityBatch) -> None:
        self._batches.append(batch)

    def _keep(self, account: Account, name: str) -> Account:  # noqa: ARG002 - rows, not a file
        spread = day_runs(ActivityBatch.join(self._adapter.kind, self._batches).columns)
        self._runs = combine(spread.runs)
        return replace(
            account,
            skipped=account.skipped + spread.skipped,
            activities=spread.activities,
            shortened=spread.shortened,
        )


def partition_of(runs: DayRuns, partitions: int) -> np.ndarray:
    """Where runs belong, 0 .. partitions - 1: int32, the same for all days of an actor."""
    place = mix64(runs.actor) % np.uint64(partitions)
    return place.astype(np.int32)


def report_row(report: Report) -> pa.Table:
    """A report as a row of `DAY_SCHEMA`."""
    row = {"partition": REPORTS, "report": pickle.dumps(report)}
    return pa.Table.from_pylist([row], schema=DAY_SCHEMA)


def reports_of(table: pa.Table) -> Iterator[Report]:
    """The reports among rows of `DAY_SCHEMA`; only ever those of tasks of the same run."""
    for data in pc.drop_null(table["report"]).to_pylist():
        yield pickle.loads(data)  # noqa: S301 - from our own task, through Ray


def write_partitions(dataset: str, table: pa.Table, *, target: str, stem: str) -> Iterator[Report]:
    """Write the windows of some partitions, a file each; and hand on the reports among the rows.

    The same rows in any order give the same files.

    Args:
        dataset: Its name, which enters the uids.
        table: All rows of these partitions, of `DAY_SCHEMA`.
        target: Folder of the dataset.
        stem: Names the files, with the number of the partition.
    """
    yield from reports_of(table)
    runs = table.filter(pc.is_null(table["report"]))
    for partition in sorted(pc.unique(runs["partition"]).to_pylist()):
        mine = _runs(runs.filter(pc.equal(runs["partition"], partition)))
        columns, windows = actor_day_windows(combine(mine))
        found = window_table(dataset, ACTOR_DAY, columns, windows)
        part = write_part(target, f"part-{stem}-{partition:05d}-{{digest}}.parquet", found)
        statistics = Statistics.of(windows, found["window_start"])
        yield PartitionReport(partition, len(mine), part, statistics)


def _runs(table: pa.Table) -> DayRuns:
    columns = [
        _unpacked(table[n]) if k is _VALUES else _numbers(table[n]) for n, k in _TYPES.items()
    ]
    return DayRuns(*columns)


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    found: np.ndarray = column.to_numpy(zero_copy_only=False) if column.num_chunks else np.array([])
    return found


def _packed(values: np.ndarray) -> pa.Array:
    buffer = pa.py_buffer(np.ascontiguousarray(values, "<f4"))
    return pa.FixedSizeBinaryArray.from_buffers(_VALUES, len(values), [None, buffer])


def _unpacked(column: pa.ChunkedArray) -> np.ndarray:
    whole = column.combine_chunks()
    width = len(STORED)
    flat = np.frombuffer(whole.buffers()[1], "<f4")[whole.offset * width :]
    return flat[: len(whole) * width].reshape(-1, width)
