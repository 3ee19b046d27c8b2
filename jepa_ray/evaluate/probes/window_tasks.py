"""Tasks whose label lies in the window or its date: what gives it away is taken out of the input.

An embedding of a part of a day is the mean of the context encoder's tokens over the slots that are
seen, so nothing of a hidden slot can reach it; raw arms get the same slots. Who is eligible is
decided by what is seen, never by what is hidden: else eligibility would tell the label.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Float32, Index, Problem, Skip, Task
from jepa_ray.evaluate.probes.sample import Sample, coarse, hashed
from jepa_ray.evaluate.probes.splits import GROUPED, sides
from jepa_ray.windows import INDEX, NO_TIME, POSITIONS, SLOTS, mix64, sparsify

Blank = Callable[[Float32, Index], None]
"""Takes out of dense windows, those of some rows of the sample, what no arm may see."""

_SPAN = 24
_SPAN_STARTS = np.arange(0, SLOTS - _SPAN + 1, 12)
_NOWS = np.arange(24, 73, 8)
_SOON = 8
_SLOT = np.arange(SLOTS)
_CHUNK = 4096
_FEWEST_DAYS = 10
_BY_DAY = (
    "Tested on held-out windows of the checkpoint's split and fitted on training windows; no actor "
    "or project and no calendar day on both sides; intervals by days, as the label is the day's."
)

HIDDEN_ACTIVITY = Task(
    "hidden_activity",
    "Whether the person does anything in six hours of the day that are hidden.",
    "The other 72 slots of an actor's day, without durations, and which six hours are hidden; at "
    "least one slot that is seen has activity, and not all of them.",
    "roc_auc",
)
NEXT_ACTIVITY = Task(
    "next_activity",
    "Whether the person does anything in the two hours after now.",
    "The slots of an actor's day before now, without durations, and the time of now (06:00 to "
    "18:00); at least one of these slots has activity, and not all of them.",
    "roc_auc",
)
PART_OF_DAY = Task(
    "part_of_day",
    "The part of the day (morning, afternoon, evening) of the person's next activity after now.",
    "The slots of an actor's day before now, without durations, and the time of now (06:00 to "
    "18:00), of days that have an activity after it; at least one slot before now has activity, "
    "and not all of them.",
    "macro_f1",
)
WEEKEND = Task(
    "weekend",
    "Whether the day is a Saturday or a Sunday.",
    "The whole window, which holds no weekday; only of datasets that have ten days of either kind "
    "on both sides.",
    "roc_auc",
)
HOLIDAY = Task(
    "holiday",
    "Whether an event that fills the whole day is a public holiday.",
    "The whole window with its holiday feature set to 0 for every arm; only windows whose 96 slots "
    "all have activity, since nearly every holiday has that pattern, and only of datasets that "
    "have both kinds.",
    "roc_auc",
)


def hidden_activity(sample: Sample, config: ProbeConfig) -> Problem:
    """Is there anything in a hidden span?"""
    place = _drawn(sample, len(_SPAN_STARTS), config, 2)
    start = _SPAN_STARTS[place][:, None]
    hidden = (start <= _SLOT) & (start + _SPAN > _SLOT)
    eligible = _partly_seen(sample, hidden)
    y: Index = np.asarray((sample.active & hidden).any(axis=1), np.int64)
    return _partial(HIDDEN_ACTIVITY, sample, config, eligible, y, hidden, place)


def next_activity(sample: Sample, config: ProbeConfig) -> Problem:
    """Is there anything in the next two hours?"""
    place, hidden = _future(sample, config)
    eligible = _partly_seen(sample, hidden)
    soon = hidden & ((_NOWS[place] + _SOON)[:, None] > _SLOT)
    y: Index = np.asarray((sample.active & soon).any(axis=1), np.int64)
    return _partial(NEXT_ACTIVITY, sample, config, eligible, y, hidden, place)


def part_of_day(sample: Sample, config: ProbeConfig) -> Problem:
    """When is the next one?"""
    place, hidden = _future(sample, config)
    later = sample.active & hidden
    eligible = _partly_seen(sample, hidden) & later.any(axis=1)
    y = later.argmax(axis=1) // 24 - 1
    return _partial(PART_OF_DAY, sample, config, eligible, y.astype(np.int64), hidden, place)


def weekend(sample: Sample, config: ProbeConfig) -> Problem:
    """Saturday or Sunday? The label is the day's, so days are what is drawn for intervals."""
    dated = sample.start_us != NO_TIME
    if not dated.any():
        raise Skip("no window has a date")
    y: Index = np.asarray(
        (np.where(dated, sample.day, 0) + 3) % 7 >= 5, np.int64
    )  # day 0: a Thursday
    eligible = np.flatnonzero(_mixed(sample, np.asarray(dated), y))
    # Equal windows of other days are no twins: their labels say nothing of one another.
    train, test = sides(sample, eligible, config, sample.uid)
    known = [_many_days(sample, rows, y) for rows in (train, test)]
    names = np.flatnonzero(known[0] & known[1])
    if len(train) and len(test) and not len(names):
        raise Skip(
            f"no dataset has {_FEWEST_DAYS} days of the week and as many of weekends on both "
            "sides: which day it is could be told, not what kind of day"
        )
    parted = [rows[np.isin(sample.dataset[rows], names)] for rows in (train, test)]
    days, day = np.unique(sample.day, return_inverse=True)
    made = _asked(WEEKEND, sample, (parted[0], parted[1]), y)
    rows = np.concatenate(parted)
    return replace(made, cluster=day[rows].astype(np.int64), clusters=len(days), split=_BY_DAY)


def _many_days(sample: Sample, rows: Index, y: Index) -> NDArray[np.bool_]:
    """Of each dataset, whether these windows are of enough days of either kind."""
    kinds = np.stack([sample.dataset[rows], y[rows], sample.day[rows]])
    dataset, of_class, _ = np.unique(kinds, axis=1)
    counts = np.zeros((len(sample.names), 2), np.int64)
    np.add.at(counts, (dataset, of_class), 1)
    many: NDArray[np.bool_] = np.asarray((counts >= _FEWEST_DAYS).all(axis=1))
    return many


def holiday(sample: Sample, config: ProbeConfig) -> Problem:
    """A public holiday, or another event of a whole day?"""
    if not sample.holiday.any():
        raise Skip("no window has a holiday")
    y = sample.holiday.astype(np.int64)
    eligible = np.flatnonzero(_mixed(sample, np.asarray(sample.active.all(axis=1)), y))

    def blank(dense: Float32, _rows: Index) -> None:
        dense[:, :, INDEX["holiday"]] = 0

    parted = sides(sample, eligible, config, _seen_twins(sample, eligible, blank))
    return _asked(HOLIDAY, sample, parted, y, blank)


def _future(sample: Sample, config: ProbeConfig) -> tuple[Index, NDArray[np.bool_]]:
    place = _drawn(sample, len(_NOWS), config, 3)
    return place, _NOWS[place][:, None] <= _SLOT


def _drawn(sample: Sample, count: int, config: ProbeConfig, purpose: int) -> Index:
    share = hashed(sample.uid, config.seed, purpose)
    drawn: Index = (share * count).astype(np.int64)
    return drawn


def _partly_seen(sample: Sample, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Actor days of which something is seen, and no activity that fills all that is seen.

    Raises:
        Skip: There are none.
    """
    if not sample.actor_day.any():
        raise Skip(
            "all windows are of single records: they have nothing hidden to predict; prepare "
            "with --windowing actor_day"
        )
    seen = (sample.active & ~hidden).any(axis=1)
    filled = (sample.active | hidden).all(axis=1)
    return sample.actor_day & seen & ~filled


def _mixed(sample: Sample, eligible: NDArray[np.bool_], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Windows of datasets that have both classes: else telling datasets apart would do.

    Raises:
        Skip: There is no such dataset.
    """
    kept = np.zeros_like(eligible)
    for place in range(len(sample.names)):
        mine = eligible & (sample.dataset == place)
        if mine.any() and np.ptp(y[mine]):
            kept |= mine
    if not kept.any():
        raise Skip(
            "within each dataset all windows that could be asked about have the same label: only "
            "the dataset could be told from it"
        )
    return kept


def _partial(
    task: Task,
    sample: Sample,
    config: ProbeConfig,
    eligible: NDArray[np.bool_],
    y: Index,
    hidden: NDArray[np.bool_],
    place: Index,
) -> Problem:
    def blank(dense: Float32, rows: Index) -> None:
        dense[:, :, POSITIONS:][hidden[rows]] = 0
        # What began before the hidden slots would tell when it ends.
        dense[:, :, INDEX["duration"]] = 0

    rows = np.flatnonzero(eligible)
    twin = _seen_twins(sample, rows, blank) ^ mix64(place.astype(np.uint64))
    made = _asked(task, sample, sides(sample, rows, config, twin), y, blank, (hidden, place))
    assert made.hidden is not None
    made.x[made.hidden] = 0
    return made


def _seen_twins(sample: Sample, rows: Index, blank: Blank) -> NDArray[np.uint64]:
    """Equal for near-identical inputs: what is not seen, and so the label, has no say in it."""
    twin = sample.twin.copy()
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        dense = coarse(sample.windows.take(part)).densify()
        blank(dense, part)
        twin[part] = sparsify(dense).fingerprints()
    return twin


def _asked(
    task: Task,
    sample: Sample,
    parted: tuple[Index, Index],
    y: Index,
    blank: Blank = lambda _dense, _rows: None,
    of_rows: tuple[NDArray[np.bool_], Index] | None = None,
) -> Problem:
    """The problem of the rows of both sides; of all rows, what is hidden and what is asked."""
    train, test = parted
    rows = np.concatenate(parted)
    hidden, place = of_rows or (None, np.zeros(len(y), np.int64))
    places = int(place.max(initial=0)) + 1
    x = sample.windows.take(rows).densify()
    blank(x, rows)
    return Problem(
        task=task,
        x=x,
        hidden=None if hidden is None else hidden[rows],
        raw=None,
        y=y[rows],
        strata=sample.dataset[rows] * places + place[rows],
        cluster=sample.cluster[rows],
        clusters=sample.clusters,
        train=np.arange(len(train)),
        test=len(train) + np.arange(len(test)),
        split=GROUPED,
    )
