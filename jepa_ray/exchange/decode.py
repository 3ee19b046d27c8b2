"""Lines of JSON records -> rows of prepared windows, and what could not be read."""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from jepa_ray.exchange.metadata import Metadata, MetadataReader
from jepa_ray.exchange.times import read_span
from jepa_ray.exchange.tokens import BadTokensError, TokenReader
from jepa_ray.readers import RawBlock, RawDefect, RawItem
from jepa_ray.windows import (
    NO_OFFSET,
    NO_TIME,
    STORED,
    WINDOW_SCHEMA,
    Columns,
    Rejected,
    SparseWindows,
    window_table,
)


class _Record(msgspec.Struct):
    """The keys of a record; others are passed over."""

    dataset: str
    source_id: str
    window_kind: str
    tokens: msgspec.Raw
    window_start: str | None = None
    window_end: str | None = None
    metadata: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Record).decode


class _BadRecordError(Exception):
    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(slug, detail)
        self.slug = slug
        self.detail = detail


class _Row(NamedTuple):
    locator: str
    source_id: str
    kind: str
    start_us: int
    end_us: int
    offset: int
    timed: bool
    metadata: Metadata


@dataclass(frozen=True, eq=False)
class Batch:
    """The outcome of one block: every record is a row, a skip or a rejection.

    Attributes:
        table: Rows of `WINDOW_SCHEMA`.
        windows: The same rows' windows.
        records: How many there were.
        skipped: By reason.
        rejected: What could not be read.
    """

    table: pa.Table
    windows: SparseWindows
    records: int
    skipped: Counter[str]
    rejected: list[Rejected]


class RecordReader:
    """Reads the records of one dataset, block by block.

    Args:
        dataset: Its name; a record of another one is rejected.
        salt: For actors and projects that come by name.

    Attributes:
        dropped: Metadata values that were not kept, as `MetadataReader` counts them, so far.
    """

    def __init__(self, dataset: str, salt: str) -> None:
        self._dataset = dataset
        self._tokens = TokenReader()
        self._metadata = MetadataReader(salt)

    @property
    def dropped(self) -> Counter[str]:
        """Metadata values that were not kept, by key, so far."""
        return self._metadata.dropped

    def batch(self, label: str, block: RawBlock) -> Batch:
        """Read one block of one file. Never raises on bad content.

        Args:
            label: Of the file, for locators.
            block: Chunks of lines, and places where there are none.
        """
        self._tokens.begin_block()
        rows, tokens, skipped = [], [], Counter[str]()
        rejected = [_rejected(label, item) for item in block if isinstance(item, RawDefect)]
        records = len(rejected)
        for number, line in _lines(block):
            records += 1
            locator = f"{label}:{number}"
            if not line.strip():
                skipped["blank_line"] += 1
                continue
            try:
                record = self._record(line)
                read = self._tokens.read(bytes(record.tokens))
                rows.append(self._row(locator, record))
            except (BadTokensError, _BadRecordError) as bad:
                rejected.append(Rejected(locator, bad.slug, bad.detail))
            else:
                tokens.append(read)
        windows, placed = self._tokens.windows(tokens)
        if not placed.all():
            rejected += [
                Rejected(
                    row.locator,
                    "bad_positions",
                    "slot_position and day_position must be slot / 95, exact or rounded to 3 "
                    "decimals or more",
                )
                for row, good in zip(rows, placed, strict=True)
                if not good
            ]
            rows = [row for row, good in zip(rows, placed, strict=True) if good]
            windows = windows.take(np.flatnonzero(placed))
        return Batch(_table(self._dataset, rows, windows), windows, records, skipped, rejected)

    def _record(self, line: bytes) -> _Record:
        try:
            record = _decode(line)
        except msgspec.ValidationError as error:
            raise _BadRecordError("bad_field", str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
            raise _BadRecordError("malformed_line", said) from None
        except RecursionError:
            raise _BadRecordError("malformed_line", "it is nested too deeply") from None
        if record.dataset != self._dataset:
            raise _BadRecordError("other_dataset", "its dataset is not that of its folder")
        if not record.source_id or not record.window_kind:
            raise _BadRecordError("bad_field", "source_id and window_kind must not be empty")
        return record

    def _row(self, locator: str, record: _Record) -> _Row:
        try:
            span = read_span(record.window_start, record.window_end)
        except ValueError as error:
            raise _BadRecordError("bad_time", str(error)) from None
        metadata = self._metadata.read(record.metadata or {})
        start, end, offset = span or (NO_TIME, NO_TIME, NO_OFFSET)
        return _Row(
            locator=locator,
            source_id=record.source_id,
            kind=record.window_kind,
            start_us=start,
            end_us=end,
            offset=metadata.offset if offset == NO_OFFSET else offset,
            timed=span is not None if metadata.timed is None else metadata.timed,
            metadata=metadata,
        )


def _lines(block: RawBlock) -> Iterator[tuple[int, bytes]]:
    for item in block:
        if isinstance(item, RawItem):
            data = item.data.removeprefix(BOM_UTF8) if item.number == 1 else item.data
            yield from enumerate(data.removesuffix(b"\n").split(b"\n"), start=item.number)


def _rejected(label: str, defect: RawDefect) -> Rejected:
    return Rejected(f"{label}:{defect.number}", defect.slug, defect.detail)


def _table(dataset: str, rows: list[_Row], windows: SparseWindows) -> pa.Table:
    """Rows of `WINDOW_SCHEMA`; each kind by itself, then all in their order."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    if not kinds:
        return WINDOW_SCHEMA.empty_table()
    if len(kinds) == 1:
        return window_table(dataset, kinds[0], _columns(rows), windows)
    places = [np.array([i for i, row in enumerate(rows) if row.kind == kind]) for kind in kinds]
    tables = [
        window_table(dataset, kind, _columns([rows[i] for i in at]), windows.take(at))
        for kind, at in zip(kinds, places, strict=True)
    ]
    return pa.concat_tables(tables).take(np.argsort(np.concatenate(places)))


def _columns(rows: list[_Row]) -> Columns:
    n = len(rows)
    return Columns(
        source_id=[row.source_id for row in rows],
        start_us=np.array([row.start_us for row in rows], np.int64),
        end_us=np.array([row.end_us for row in rows], np.int64),
        offset_minutes=np.array([row.offset for row in rows], np.int16),
        timed=np.array([row.timed for row in rows], np.bool_),
        due_us=np.array([row.metadata.due_us for row in rows], np.int64),
        due_timed=np.zeros(n, np.bool_),
        values=np.zeros((n, len(STORED)), np.float32),
        actor=np.array([row.metadata.actor for row in rows], np.uint64),
        project=np.array([row.metadata.project for row in rows], np.uint64),
        category=[row.metadata.category for row in rows],
        metadata=[row.metadata.own for row in rows],
        slots=[None] * n,
    )
