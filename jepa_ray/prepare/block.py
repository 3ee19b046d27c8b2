"""One raw block -> one part file and its account. No Ray; writes at most two files.

The names of the files follow from the block's place and from their content: a task that runs twice
writes the same files, and two runs that cut the work in other ways do not meet.
"""

import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from jepa_ray.adapters import Adapter, parse_block
from jepa_ray.prepare.account import Account
from jepa_ray.readers import RawBlock, RawDefect, RawItem, slices
from jepa_ray.windows import (
    WINDOW_SCHEMA,
    ActivityBatch,
    Part,
    Rejected,
    SparseWindows,
    Statistics,
    concat,
    record_windows,
    window_rows,
    with_runs,
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

_PART_WINDOWS = 1 << 16
_PART_REJECTED = 1 << 14  # a rejection is three strings until it is written
_LAST_FILE = 2**31 - 1
END_OF_SHARD = "end_of_shard"
"""Slug of the row that closes a shard; its number says how many rows came before it."""


@dataclass(frozen=True)
class BlockReport:
    """What became of one block.

    Attributes:
        shard: Index of its shard.
        place: (file, number) of its first row: the order of the blocks of a shard.
        rows: Raw items and defects in it.
        raw_bytes: Of them, expanded.
        shard_rows: If the block closes its shard: the rows of the whole shard; else None.
        node: Where it was processed, for people.
        account: Of its records.
    """

    shard: int
    place: tuple[int, int]
    rows: int
    raw_bytes: int
    shard_rows: int | None
    node: str
    account: Account

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


def closing_table(shard: int, rows: int) -> pa.Table:
    """The row of `RAW_SCHEMA` that says: the shard ends here, after so many rows."""
    return raw_table(shard, _LAST_FILE, "", [RawDefect(rows, END_OF_SHARD, "")])


def process_block(
    adapter: Adapter, table: pa.Table, *, target: str, key: str, node: str = ""
) -> list[BlockReport]:
    """Parse a raw block, write its windows and its quarantine, and account for every record.

    Args:
        adapter: Of the dataset.
        table: Rows of `RAW_SCHEMA`, all of one shard, at least one.
        target: Folder of the dataset.
        key: Of the shard; names the files, with the place of the block.
        node: Where this runs.

    Returns:
        A report of each part; nearly always one.
    """
    shard = table["shard"][0].as_py()
    writer = PartWriter(adapter, shard, target=target, key=key, node=node)
    return list(process_rows(writer, table))


def process_rows(writer: "PartWriter", table: pa.Table) -> Iterator[BlockReport]:
    """The same by the writer of their shard; a report at each flush."""
    rows = _rows(table)
    closing = rows.pop().item.number if rows[-1].closing else None
    for (file, source), group in groupby(rows, key=lambda row: (row.file, row.source)):
        yield from writer.take(file, source, [row.item for row in group])
    if writer.waiting or closing is not None:
        yield writer.flush(closing)


class _Row(NamedTuple):
    """A row of `RAW_SCHEMA`."""

    file: int
    source: str
    item: RawItem | RawDefect

    @property
    def closing(self) -> bool:
        """Whether it says that the shard ends."""
        return isinstance(self.item, RawDefect) and self.item.slug == END_OF_SHARD


def _rows(table: pa.Table) -> list[_Row]:
    """Column by column: a dict a row would cost as much as parsing a mail's headers."""
    columns = [table[field.name].to_pylist() for field in RAW_SCHEMA][1:]
    return [
        _Row(file, str(source), RawDefect(number, slug, detail))
        if slug is not None
        else _Row(file, str(source), RawItem(number, name.decode("utf-8", "surrogateescape"), data))
        for file, source, number, name, data, slug, detail in zip(*columns, strict=True)
    ]


class PartWriter:
    """Parses raw blocks of one shard as they come, and writes them as one part at each flush.

    Attributes:
        bytes: Raw bytes that what is waiting for the next flush came from.
        rows: Raw items and defects taken so far, over all flushes.
    """

    def __init__(self, adapter: Adapter, shard: int, *, target: str, key: str, node: str) -> None:
        self.rows = 0
        self._adapter = adapter
        self._shard = shard
        self._target = target
        self._key = key
        self._node = node
        self._begin()

    def _begin(self) -> None:
        self.bytes = self._windows = 0
        self._place: tuple[int, int] | None = None
        self._before = self.rows
        self._records: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._expanded = 0
        self._rejected: list[Rejected] = []
        self._rows: list[pa.Table] = []
        self._sparse: list[SparseWindows] = []

    @property
    def waiting(self) -> bool:
        """Whether a raw item or a defect came since the last flush."""
        return self._place is not None

    def take(self, file: int, source: str, block: RawBlock) -> Iterator[BlockReport]:
        """Parse one raw block; flush whenever there is enough for a part, within the block too.

        Args:
            file: Index of its file in the shard.
            source: Label of the file.
            block: At least one item or defect.

        Yields:
            The report of each flush.
        """
        for piece in slices(block, _PART_REJECTED):
            self.add(file, source, piece)
            if self._windows >= _PART_WINDOWS or len(self._rejected) >= _PART_REJECTED:
                yield self.flush()

    def add(self, file: int, source: str, block: RawBlock) -> None:
        """The same without a flush, so all of it waits."""
        batch = self._parse(source, block)
        self._place = self._place or (file, block[0].number)
        self._records[source] += batch.records
        self._skipped.update(batch.skipped)
        self._expanded += batch.expanded
        self._rejected += batch.rejected
        self.rows += len(block)
        self._windows += len(batch.columns)
        self.bytes += sum(len(item.data) for item in block if isinstance(item, RawItem))
        self._take(batch)

    def flush(self, shard_rows: int | None = None) -> BlockReport:
        """Write what is waiting, and begin anew.

        Args:
            shard_rows: If the shard ends here, the rows of the whole shard.
        """
        place = self._place or (_LAST_FILE, 0)
        stem = f"{self._key}-{place[0]:05d}-{place[1]:010d}"
        bad = write_quarantine(self._target, f"bad-{stem}-{{digest}}.jsonl", self._rejected)
        account = Account(
            records=self._records,
            expanded=self._expanded,
            skipped=self._skipped,
            quarantined=Counter(r.slug for r in self._rejected),
            quarantine=(bad,) if bad else (),
        )
        account = self._keep(account, f"part-{stem}-{{digest}}.parquet")
        rows, raw_bytes = self.rows - self._before, self.bytes
        self._begin()
        return BlockReport(self._shard, place, rows, raw_bytes, shard_rows, self._node, account)

    def _parse(self, source: str, block: RawBlock) -> ActivityBatch:
        return parse_block(self._adapter, source, block)

    def _take(self, batch: ActivityBatch) -> None:
        """Make the windows of a batch at once: its texts are still in the processor's cache."""
        if len(batch.columns):
            name = self._adapter.info.dataset
            self._rows.append(window_rows(name, batch.kind, batch.columns))
            self._sparse.append(record_windows(batch.columns))

    def _keep(self, account: Account, name: str) -> Account:
        """Write the windows of all batches as a file of this name; its account with them."""
        if not self._rows:
            return account
        windows = concat(self._sparse)
        table = with_runs(pa.concat_tables(self._rows).combine_chunks(), windows)
        statistics = Statistics.of(windows, table["window_start"])
        return replace(
            account, parts=(write_part(self._target, name, table),), statistics=statistics
        )


def write_empty_part(target: str) -> Part:
    """A file of no windows: what a blocked dataset has."""
    return write_part(target, "part-empty.parquet", WINDOW_SCHEMA.empty_table())
