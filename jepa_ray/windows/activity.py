"""What leaves an adapter: activities as columns, with the records that became none.

`ActivityBatch.of` builds one from single `Activity` values; a volume source fills `Columns` itself.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows.contract import INDEX, POSITIONS, STORED

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local wall clock, no zone on purpose
NO_TIME = np.iinfo(np.int64).min
"""Stands for "no such time" in a column of microseconds."""

NO_OFFSET = np.iinfo(np.int16).min
"""Stands for "UTC offset not known" in `offset_minutes`."""


@dataclass(frozen=True)
class Activity:
    """One thing somebody did, will do or has to do.

    Attributes:
        source_id: Unique within the dataset; carries no name and no text.
        start: The record's own wall clock; aware or naive (offset unknown). None: no date at all.
        features: Values of stored features by name, in [0, 1], on the slots of the activity.
        end: Exclusive end on the same wall clock; None or `start` for an instant.
        timed: False where only the day (or nothing) is known: the signal stands on all 96 slots.
        due: A due date or deadline; a `date` has no time and marks the whole day.
        actor: Salted hash of who did it; 0 for nobody known.
        project: Salted hash of the project, repository or calendar; 0 for none.
        category: What the source calls this kind of record, from its fixed vocabulary.
        metadata: JSON object with lengths, counts and flags that no column holds; None for none.
        expanded: A further window of a record that expands (a recurrence).
        slots: Where a record marks single slots of a day: the features of each that differ from
            `features`. Only these slots are marked, and `start` may be None.
    """

    source_id: str
    start: dt.datetime | None
    features: Mapping[str, float]
    end: dt.datetime | None = None
    timed: bool = True
    due: dt.date | dt.datetime | None = None
    actor: int = 0
    project: int = 0
    category: str | None = None
    metadata: str | None = None
    expanded: bool = False
    slots: Mapping[int, Mapping[str, float]] | None = None


@dataclass(frozen=True)
class Rejected:
    """A record that could not be read: it goes to the quarantine.

    Attributes:
        locator: Where it stands: file and line, member or event number; never a name.
        slug: The kind of defect, in snake_case.
        detail: One sentence without any raw text.
    """

    locator: str
    slug: str
    detail: str


@dataclass(frozen=True)
class Skipped:
    """A record that is fine but gives no window, and the reason in snake_case."""

    reason: str


SlotValues = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Some slots of one window, ascending, and the stored features of each: (k,) and (k, 14)."""


@dataclass(eq=False)
class Columns:
    """n activities as columns; the arrays all have length n. Times are local microseconds.

    `slots` is None but for the rows that mark single slots: these in order, with their values.
    """

    source_id: Sequence[str]
    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    offset_minutes: NDArray[np.int16]
    timed: NDArray[np.bool_]
    due_us: NDArray[np.int64]
    due_timed: NDArray[np.bool_]
    values: NDArray[np.float32]
    actor: NDArray[np.uint64]
    project: NDArray[np.uint64]
    category: Sequence[str | None]
    metadata: Sequence[str | None]
    slots: Sequence[SlotValues | None]

    def __len__(self) -> int:
        return len(self.start_us)

    @staticmethod
    def instants(
        source_id: Sequence[str],
        start_us: NDArray[np.int64],
        values: NDArray[np.float32],
        *,
        offset_minutes: int,
    ) -> "Columns":
        """Timed activities of no duration, nobody's, without a due date: to be filled further."""
        n = len(source_id)
        return Columns(
            source_id=source_id,
            start_us=start_us,
            end_us=start_us,
            offset_minutes=np.full(n, offset_minutes, np.int16),
            timed=np.ones(n, np.bool_),
            due_us=np.full(n, NO_TIME),
            due_timed=np.zeros(n, np.bool_),
            values=values,
            actor=np.zeros(n, np.uint64),
            project=np.zeros(n, np.uint64),
            category=[None] * n,
            metadata=[None] * n,
            slots=[None] * n,
        )


@dataclass(eq=False)
class ActivityBatch:
    """The outcome of parsing one raw block.

    Attributes:
        kind: The `window_kind` of the dataset.
        columns: The activities.
        records: Records read; each is an activity, a skip or a rejection.
        expanded: Activities beyond the first of their record.
        skipped: Records that give no window, by reason.
        rejected: Records that could not be read.
    """

    kind: str
    columns: Columns
    records: int
    expanded: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)

    def __post_init__(self) -> None:
        accounted = len(self.columns) - self.expanded + self.skipped.total() + len(self.rejected)
        assert self.records == accounted, f"{self.records} records, {accounted} accounted for"

    @staticmethod
    def of(kind: str, items: Iterable[Activity | Rejected | Skipped]) -> "ActivityBatch":
        """Build a batch from single outcomes; every item but an expanded one is a record."""
        activities: list[Activity] = []
        skipped: Counter[str] = Counter()
        rejected: list[Rejected] = []
        for item in items:
            if isinstance(item, Activity):
                activities.append(item)
            elif isinstance(item, Rejected):
                rejected.append(item)
            else:
                skipped[item.reason] += 1
        expanded = sum(a.expanded for a in activities)
        return ActivityBatch(
            kind=kind,
            columns=_columns(activities),
            records=len(activities) - expanded + skipped.total() + len(rejected),
            expanded=expanded,
            skipped=skipped,
            rejected=rejected,
        )

    @staticmethod
    def join(kind: str, parts: Sequence["ActivityBatch"]) -> "ActivityBatch":
        """All of `parts` in one batch, in order."""
        if len(parts) == 1:
            return parts[0]
        columns = [p.columns for p in parts] or [_columns([])]
        merged: dict[str, object] = {}
        for name in Columns.__dataclass_fields__:
            pieces = [getattr(c, name) for c in columns]
            merged[name] = (
                np.concatenate(pieces)
                if isinstance(pieces[0], np.ndarray)
                else list(chain.from_iterable(pieces))
            )
        return ActivityBatch(
            kind=kind,
            columns=Columns(**merged),  # type: ignore[arg-type]  # the fields of Columns
            records=sum(p.records for p in parts),
            expanded=sum(p.expanded for p in parts),
            skipped=sum((p.skipped for p in parts), Counter()),
            rejected=[r for p in parts for r in p.rejected],
        )


def local_us(when: dt.datetime | dt.date) -> int:
    """Microseconds of a wall clock since 1970-01-01 00:00 of the same clock."""
    if not isinstance(when, dt.datetime):
        when = dt.datetime.combine(when, dt.time())
    return (when.replace(tzinfo=None) - _EPOCH) // dt.timedelta(microseconds=1)


def offset_minutes(when: dt.datetime | None) -> int:
    """UTC offset of an aware time in minutes; `NO_OFFSET` for a naive one."""
    offset = when.utcoffset() if when is not None else None
    return NO_OFFSET if offset is None else round(offset.total_seconds() / 60)


def _columns(activities: Sequence[Activity]) -> Columns:
    n = len(activities)
    values = np.zeros((n, len(STORED)), np.float32)
    for row, activity in enumerate(activities):
        _fill(values[row], activity.features)
    starts = [local_us(a.start) if a.start is not None else NO_TIME for a in activities]
    ends = [
        local_us(a.end) if a.end is not None else s for a, s in zip(activities, starts, strict=True)
    ]
    return Columns(
        source_id=[a.source_id for a in activities],
        start_us=np.array(starts, np.int64),
        end_us=np.array(ends, np.int64),
        offset_minutes=np.array([offset_minutes(a.start) for a in activities], np.int16),
        timed=np.array(
            [a.timed and (a.start is not None or bool(a.slots)) for a in activities], np.bool_
        ),
        due_us=np.array(
            [NO_TIME if a.due is None else local_us(a.due) for a in activities], np.int64
        ),
        due_timed=np.array([isinstance(a.due, dt.datetime) for a in activities], np.bool_),
        values=values,
        actor=np.array([a.actor for a in activities], np.uint64),
        project=np.array([a.project for a in activities], np.uint64),
        category=[a.category for a in activities],
        metadata=[a.metadata for a in activities],
        slots=[
            _slot_values(a.slots, row) if a.slots else None
            for a, row in zip(activities, values, strict=True)
        ],
    )


def _slot_values(
    slots: Mapping[int, Mapping[str, float]], common: NDArray[np.float32]
) -> SlotValues:
    values = np.tile(common, (len(slots), 1))
    for row, slot in zip(values, sorted(slots), strict=True):
        _fill(row, slots[slot])
    return np.array(sorted(slots), np.uint8), values


def _fill(row: NDArray[np.float32], features: Mapping[str, float]) -> None:
    for name, value in features.items():
        assert name in STORED, f"no stored feature {name!r}; there are {', '.join(STORED)}"
        row[INDEX[name] - POSITIONS] = min(max(value, 0.0), 1.0)
