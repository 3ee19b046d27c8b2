"""`actor_day` windowing: all activity of one actor on one local day, one window.

The rules of slots are those of `record` windowing (`windows.record`), but that an activity of
several days stands on each of them. What meets in one slot combines by maximum. A window starts at
the midnight of its day and ends at the next; each activity's own wall clock decides its day.
"""

import numpy as np

from jepa_ray.windows.activity import Columns
from jepa_ray.windows.contract import STORED
from jepa_ray.windows.days import DayRuns
from jepa_ray.windows.sparse import SparseWindows

_DAY_US = 86_400_000_000


def actor_day_windows(runs: DayRuns) -> tuple[Columns, SparseWindows]:
    """The windows of some actor-days.

    Args:
        runs: From `combine`: all of each actor-day.

    Returns:
        n rows and their n windows, by actor and day. `source_id` is the hash in hex and the date
        (after "project-" where nobody is known); `metadata` says how many activities met.
    """
    group = runs.groups()
    firsts = np.flatnonzero(np.diff(group, prepend=-1))
    n = len(firsts)
    signal = runs.values.any(axis=1)
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(group[signal], minlength=n), out=offsets[1:])
    windows = SparseWindows(offsets, runs.first[signal], runs.last[signal], runs.values[signal])
    heads = runs.take(firsts)
    start_us = heads.day.astype(np.int64) * _DAY_US
    activities = np.add.reduceat(runs.activities, firsts) if n else runs.activities
    columns = Columns.instants(
        _ids(heads), start_us, np.zeros((n, len(STORED)), np.float32), offset_minutes=0
    )
    columns.end_us = start_us + _DAY_US
    columns.offset_minutes = heads.offset_minutes
    columns.timed = heads.timed
    columns.actor = np.where(heads.by_project, np.uint64(0), heads.actor)
    columns.project = np.where(heads.by_project, heads.actor, heads.project)
    columns.metadata = [f'{{"activities":{count}}}' for count in activities.tolist()]
    return columns, windows


def _ids(heads: DayRuns) -> list[str]:
    dates = np.datetime_as_string(heads.day.astype("datetime64[D]")).tolist()
    rows = zip(heads.actor.tolist(), heads.by_project.tolist(), dates, strict=True)
    return [f"{'project-' * by}{actor:016x}-{date}" for actor, by, date in rows]
