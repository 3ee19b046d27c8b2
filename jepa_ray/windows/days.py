"""Activities -> runs of slots of one actor's one day; and many such runs made one.

`day_runs` says where each activity stands; `combine` brings together what belongs to one actor and
one day. It takes its own output again and gives the same, whatever was combined before and in which
order: so one task may combine what it has, and another what several tasks have left.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows.activity import NO_OFFSET, NO_TIME, Columns
from jepa_ray.windows.contract import INDEX, POSITIONS, SLOT_SECONDS, SLOTS, STORED

MAX_DAYS = 31
"""An activity that lasts longer counts on its first days only."""

_DAY_US = 86_400_000_000
_SLOT_US = SLOT_SECONDS * 1_000_000
_MAX_CELLS = 1 << 16
"""Slots combined at once: with their values about 4 MB, which stays in the cache."""


@dataclass(frozen=True, eq=False)
class DayRuns:
    """r runs of slots, each of one actor's one day; arrays of length r.

    Attributes:
        actor: uint64, salted hash, never 0.
        by_project: bool, whether that is of a project, as nobody is known.
        day: int32, days since 1970-01-01 on the wall clock of the activity.
        first, last: uint8, slots 0-95, inclusive.
        values: float32 (r, 14), the features of `STORED`.
        project: uint64, the one project of the day; 0 for none or several.
        offset_minutes: int16, the one UTC offset of the day; `NO_OFFSET` for none or several.
        timed: bool, whether an activity of the day has a time.
        activities: int32, counted on one run of each.
    """

    actor: NDArray[np.uint64]
    by_project: NDArray[np.bool_]
    day: NDArray[np.int32]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    values: NDArray[np.float32]
    project: NDArray[np.uint64]
    offset_minutes: NDArray[np.int16]
    timed: NDArray[np.bool_]
    activities: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.actor)

    def take(self, rows: "NDArray[np.integer] | slice") -> "DayRuns":
        """Some of the runs, in that order."""
        return DayRuns(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def concat(parts: Sequence["DayRuns"]) -> "DayRuns":
        """All runs of `parts` (at least one), in order."""
        if len(parts) == 1:
            return parts[0]
        return DayRuns(
            *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(DayRuns))
        )

    def groups(self) -> NDArray[np.int64]:
        """Numbers of the actor-days of runs that are sorted by them: int64 (r,), from 0 on."""
        changed = np.zeros(len(self), np.int64)
        for key in (self.actor, self.by_project, self.day):
            changed[1:] |= key[1:] != key[:-1]
        found: NDArray[np.int64] = np.cumsum(changed)
        return found


@dataclass(frozen=True, eq=False)
class Spread:
    """What became of n activities.

    Attributes:
        runs: Of those that have an actor and a day.
        activities: How many these are.
        skipped: The others by reason: `no_date`, `no_actor`.
        shortened: Activities of which only the first `MAX_DAYS` days count.
    """

    runs: DayRuns
    activities: int
    skipped: Counter[str]
    shortened: int


def day_runs(columns: Columns) -> Spread:
    """Where activities stand: each on every day it touches, and on the day it is due.

    An activity of nobody known is its project's. On the day that it is due, it marks `deadline`
    with its confidence, at the slot or on the whole day, as in `record` windowing; on another day
    than its own that is an activity of that day.
    """
    dated, due = columns.start_us != NO_TIME, columns.due_us != NO_TIME
    somebody = (columns.actor != 0) | (columns.project != 0)
    kept = (dated | due) & somebody
    marking = np.fromiter((slots is not None for slots in columns.slots), np.bool_, len(columns))
    spans, shortened = _spans(columns, np.flatnonzero(kept & dated & ~marking))
    singles = _single_slots(columns, np.flatnonzero(kept & dated & marking))
    runs = DayRuns.concat([spans, singles, _deadlines(columns, np.flatnonzero(kept & due))])
    skipped = {
        "no_date": int((~dated & ~due).sum()),
        "no_actor": int(((dated | due) & ~somebody).sum()),
    }
    return Spread(
        runs, int(kept.sum()), Counter({k: n for k, n in skipped.items() if n}), shortened
    )


def _spans(columns: Columns, rows: NDArray[np.int64]) -> tuple[DayRuns, int]:
    start, timed = columns.start_us[rows], columns.timed[rows]
    until, first_day, last_day = _extent(columns, rows)
    days = np.minimum(last_day - first_day + 1, MAX_DAYS)
    each = np.repeat(np.arange(len(rows)), days)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(days) - days, days)
    day = first_day[each] + nth
    first = np.where(timed, start % _DAY_US // _SLOT_US, 0)[each]
    last = np.where(timed, until % _DAY_US // _SLOT_US, SLOTS - 1)[each]
    first = np.where(nth == 0, first, 0)
    last = np.where(day == last_day[each], last, SLOTS - 1)
    runs = _runs(columns, rows[each], day, (first, last), columns.values[rows[each]])
    return runs, int((last_day - first_day >= MAX_DAYS).sum())


def _extent(
    columns: Columns, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Last microsecond, first and last day of activities that have a start."""
    start = columns.start_us[rows]
    until = np.maximum(columns.end_us[rows], start + 1) - 1
    return until, start // _DAY_US, until // _DAY_US


def _single_slots(columns: Columns, rows: NDArray[np.int64]) -> DayRuns:
    marks = [slots for row in rows.tolist() if (slots := columns.slots[row]) is not None]
    counts = np.array([len(at) for at, _ in marks], np.int64)
    each = np.repeat(rows, counts)
    at = np.concatenate([np.zeros(0, np.uint8), *(at for at, _ in marks)])
    none = np.zeros((0, len(STORED)), np.float32)
    values = np.concatenate([none, *(values for _, values in marks)])
    once = np.zeros(len(each), np.int32)
    once[(np.cumsum(counts) - counts)[counts > 0]] = 1
    return _runs(columns, each, columns.start_us[each] // _DAY_US, (at, at), values, once)


def _deadlines(columns: Columns, rows: NDArray[np.int64]) -> DayRuns:
    due, timed = columns.due_us[rows], columns.due_timed[rows]
    day = due // _DAY_US
    slot = due % _DAY_US // _SLOT_US
    at = np.where(timed, slot, 0), np.where(timed, slot, SLOTS - 1)
    confidence = INDEX["source_confidence"] - POSITIONS
    values = np.zeros((len(rows), len(STORED)), np.float32)
    values[:, INDEX["deadline"] - POSITIONS] = 1
    values[:, confidence] = columns.values[rows, confidence]
    dated = columns.start_us[rows] != NO_TIME
    own = np.zeros(len(rows), np.bool_)
    _, first_day, last_day = _extent(columns, rows[dated])
    last_day = np.minimum(last_day, first_day + MAX_DAYS - 1)
    own[dated] = (first_day <= day[dated]) & (day[dated] <= last_day)
    return _runs(columns, rows, day, at, values, (~own).astype(np.int32), timed)


def _runs(
    columns: Columns,
    rows: NDArray[np.int64],
    day: NDArray[np.int64],
    at: tuple[NDArray[np.integer], NDArray[np.integer]],
    values: NDArray[np.float32],
    activities: NDArray[np.int32] | None = None,
    timed: NDArray[np.bool_] | None = None,
) -> DayRuns:
    by_project = columns.actor[rows] == 0
    return DayRuns(
        actor=np.where(by_project, columns.project[rows], columns.actor[rows]),
        by_project=by_project,
        day=day.astype(np.int32),
        first=at[0].astype(np.uint8),
        last=at[1].astype(np.uint8),
        values=values + np.float32(0),  # a negative zero would make the maximum depend on the order
        project=columns.project[rows],
        offset_minutes=columns.offset_minutes[rows],
        timed=columns.timed[rows] if timed is None else timed,
        activities=np.ones(len(rows), np.int32) if activities is None else activities,
    )


def combine(runs: DayRuns) -> DayRuns:
    """What meets in one slot of one actor's day as one value, the maximum.

    Args:
        runs: In any order; they may overlap.

    Returns:
        Runs sorted by actor, day and slot, that neither overlap nor touch with equal values; of an
        actor-day at most 96.
    """
    runs = runs.take(np.lexsort((runs.day, runs.by_project, runs.actor)))
    whole = not len(runs)
    while not whole:
        group = runs.groups()
        ends = list(_pieces(runs, group))
        # a day that was cut is combined again from what its pieces gave: at most 96 runs each
        whole = all(end == len(runs) or group[end - 1] != group[end] for end in ends)
        starts = [0, *ends[:-1]]
        runs = DayRuns.concat(
            [_merge(runs.take(slice(a, b)), group[a:b]) for a, b in zip(starts, ends, strict=True)]
        )
    return runs


def _pieces(runs: DayRuns, group: NDArray[np.int64]) -> Iterator[int]:
    """Where to cut, so that a piece has few slots: between days, or within one that is too long."""
    slots = np.cumsum(runs.last.astype(np.int64) - runs.first + 1)
    end, taken = 0, 0
    while end < len(runs):
        start = end
        end = int(np.searchsorted(slots, taken + _MAX_CELLS, side="right"))
        if end < len(runs):
            back = int(np.searchsorted(group, group[end], side="left"))
            end = back if back > start else end
        taken = int(slots[end - 1])
        yield end


def _merge(runs: DayRuns, group: NDArray[np.int64]) -> DayRuns:
    """One piece: spread over its slots, each slot's maximum taken, and equal neighbours joined."""
    length = runs.last.astype(np.int64) - runs.first + 1
    row = np.repeat(np.arange(len(runs)), length)
    begin = (group - group[0]) * SLOTS + runs.first
    cell = np.arange(len(row)) + np.repeat(begin - (np.cumsum(length) - length), length)
    order = np.argsort(cell, kind="stable")
    cell, row = cell[order], row[order]
    at = np.flatnonzero(np.diff(cell, prepend=-1))
    values = np.maximum.reduceat(runs.values[row], at, axis=0)
    cell = cell[at]
    new = np.ones(len(cell), np.bool_)
    new[1:] = np.diff(cell) != 1
    new[1:] |= cell[1:] % SLOTS == 0
    new[1:] |= (values[1:] != values[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(cell)) - 1
    rows = np.flatnonzero(np.diff(group, prepend=-1))
    owner = cell[starts] // SLOTS
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    activities = np.zeros(len(starts), np.int32)
    activities[firsts] = np.add.reduceat(runs.activities, rows)
    return DayRuns(
        actor=runs.actor[rows][owner],
        by_project=runs.by_project[rows][owner],
        day=runs.day[rows][owner],
        first=(cell[starts] % SLOTS).astype(np.uint8),
        last=(cell[ends] % SLOTS).astype(np.uint8),
        values=values[starts],
        project=_same(runs.project, rows, 0)[owner],
        offset_minutes=_same(runs.offset_minutes, rows, NO_OFFSET)[owner],
        timed=np.logical_or.reduceat(runs.timed, rows)[owner],
        activities=activities,
    )


def _same(column: NDArray[np.integer], rows: NDArray[np.int64], other: int) -> NDArray[np.integer]:
    """The value that all runs of a group have, or another."""
    low, high = np.minimum.reduceat(column, rows), np.maximum.reduceat(column, rows)
    return np.where(low == high, low, column.dtype.type(other))
