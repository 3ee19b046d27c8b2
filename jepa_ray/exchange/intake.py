"""The records of one dataset, read block by block and written part by part."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from jepa_ray.exchange.decode import Batch, RecordReader
from jepa_ray.exchange.found import SourceRecords
from jepa_ray.windows import Part, Rejected, Statistics, write_part, write_quarantine

PART_WINDOWS = 100_000
_PART_BYTES = 128 << 20
_PART_REJECTED = 10_000


@dataclass(eq=False)
class Taken:
    """The account of an import: every record is a window, a skip or in the quarantine.

    Attributes:
        records: By label of the file.
        skipped, quarantined: Records by reason and by slug.
        dropped: Metadata values that were not kept, by key.
        parts: Files of windows, in order.
        quarantine: Names of the quarantine files.
        statistics: Of all windows; None when there is none.
    """

    records: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    parts: list[Part] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    statistics: Statistics | None = None


def take_in(
    sources: list[SourceRecords],
    reader: RecordReader,
    *,
    target: str,
    key: str,
    progress: Callable[[int], None],
) -> Taken:
    """Read files in order and write their windows and quarantine.

    Args:
        sources: Of one dataset.
        reader: Of that dataset.
        target: Path or URL of its folder.
        key: Marks the files of this import.
        progress: Told the records so far.
    """
    pending = _Pending(target, key)
    for source in sources:
        with source.blocks() as blocks:
            for block in blocks:
                batch = reader.batch(source.label, block)
                pending.add(source.label, batch)
                progress(pending.taken.records.total())
    pending.flush()
    pending.taken.dropped = reader.dropped
    return pending.taken


class _Pending:
    """Rows that wait until they fill a part."""

    def __init__(self, target: str, key: str) -> None:
        self.taken = Taken()
        self._target = target
        self._key = key
        self._tables: list[pa.Table] = []
        self._statistics: list[Statistics] = []
        self._rejected: list[Rejected] = []

    def add(self, label: str, batch: Batch) -> None:
        taken = self.taken
        taken.records[label] += batch.records
        taken.skipped += batch.skipped
        taken.quarantined += Counter(r.slug for r in batch.rejected)
        self._rejected += batch.rejected
        if len(batch.table):
            self._tables.append(batch.table)
            self._statistics.append(Statistics.of(batch.windows, batch.table["window_start"]))
        if (
            sum(map(len, self._tables)) >= PART_WINDOWS
            or sum(table.nbytes for table in self._tables) >= _PART_BYTES
            or len(self._rejected) >= _PART_REJECTED
        ):
            self.flush()

    def flush(self) -> None:
        taken = self.taken
        stem = f"{self._key}-{len(taken.parts) + len(taken.quarantine):06d}"
        if self._tables:
            table = pa.concat_tables(self._tables)
            taken.parts.append(write_part(self._target, f"part-{stem}-{{digest}}.parquet", table))
            before = [taken.statistics] if taken.statistics else []
            taken.statistics = Statistics.merge([*before, *self._statistics])
        bad = write_quarantine(self._target, f"bad-{stem}.jsonl", self._rejected)
        if bad:
            taken.quarantine.append(bad.name)
        self._tables, self._statistics, self._rejected = [], [], []
