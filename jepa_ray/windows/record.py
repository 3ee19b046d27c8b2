"""`record` windowing: one activity, one window, vectorised.

The grid begins at the local midnight before `window_start`. An instant fills one slot, a timed item
every slot it touches until midnight, an untimed or all-day one all 96. A record that marks single
slots of a day fills just these. A due date that falls on the
window's day adds `deadline` (with the source's confidence) at its slot, or on all slots when it has
no time; what meets in one slot combines by maximum.
"""

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows.activity import NO_TIME, Columns
from jepa_ray.windows.contract import INDEX, POSITIONS, SLOT_SECONDS, SLOTS
from jepa_ray.windows.sparse import SparseWindows, concat, sparsify

_DAY_US = 86_400_000_000
_SLOT_US = SLOT_SECONDS * 1_000_000
_DEADLINE = INDEX["deadline"]
_CONFIDENCE = INDEX["source_confidence"]


def record_windows(columns: Columns) -> SparseWindows:
    """One window per activity, in their order.

    Args:
        columns: n activities.

    Returns:
        n windows.
    """
    n = len(columns)
    day = _floor_day(columns.start_us)
    first, last = _slots(columns, day)
    plain = SparseWindows(np.arange(n + 1), first, last, columns.values)
    if any(columns.slots):
        marking = [row for row, slots in enumerate(columns.slots) if slots is not None]
        plain = _replace(plain, np.array(marking), _single_slots(columns, marking))
    dated = (columns.due_us != NO_TIME) & (columns.start_us != NO_TIME)
    due_today = np.flatnonzero(dated & (_floor_day(columns.due_us) == day))
    if not len(due_today):
        return plain
    marked = _with_deadline(plain.take(due_today), columns, due_today)
    return _replace(plain, due_today, marked)


def _replace(
    windows: SparseWindows, rows: NDArray[np.int64], others: SparseWindows
) -> SparseWindows:
    """The windows with others in place of some rows."""
    order = np.arange(len(windows))
    order[rows] = len(windows) + np.arange(len(rows))
    return concat([windows, others]).take(order)


def _single_slots(columns: Columns, rows: list[int]) -> SparseWindows:
    parts = [slots for row in rows if (slots := columns.slots[row]) is not None]
    offsets = np.cumsum([0, *(len(at) for at, _ in parts)])
    at = np.concatenate([at for at, _ in parts])
    return SparseWindows(offsets, at, at, np.concatenate([values for _, values in parts]))


def _slots(columns: Columns, day: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    untimed = ~columns.timed
    start = np.where(untimed, 0, columns.start_us - np.where(untimed, 0, day))
    length = np.where(untimed, 0, columns.end_us - columns.start_us)
    first = start // _SLOT_US
    last = (start + np.maximum(length, 1) - 1) // _SLOT_US
    first[untimed], last[untimed] = 0, SLOTS - 1
    return first.astype(np.uint8), np.clip(last, first, SLOTS - 1).astype(np.uint8)


def _with_deadline(
    windows: SparseWindows, columns: Columns, rows: NDArray[np.int64]
) -> SparseWindows:
    dense = windows.densify()
    slot = (columns.due_us[rows] % _DAY_US) // _SLOT_US
    at = (np.arange(SLOTS) == slot[:, None]) | ~columns.due_timed[rows][:, None]
    dense[at, _DEADLINE] = 1.0
    confidence = columns.values[rows, _CONFIDENCE - POSITIONS]
    spread = np.where(at, confidence[:, None], np.float32(0))
    np.maximum(dense[:, :, _CONFIDENCE], spread, out=dense[:, :, _CONFIDENCE])
    return sparsify(dense)


def _floor_day(us: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(us == NO_TIME, NO_TIME, us - us % _DAY_US)
