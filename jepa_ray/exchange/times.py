"""Times of a record: local microseconds with a UTC offset, as ISO 8601 text and back."""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jepa_ray.windows import NO_OFFSET
from jepa_ray.windows.activity import local_us, offset_minutes

_DAY_MINUTES = 1440
_MINUTE_US = 60_000_000
EARLIEST, LATEST = 1800, 2200
"""Years of starts and due dates: the widest bounds of the adapters, those of calendars. An end has
only to lie in a year that can be written, as in a calendar: 9999 stands there for "for ever"."""
_FIRST_US, _PAST_US = (local_us(dt.date(year, 1, 1)) for year in (EARLIEST, LATEST))
_LAST_US = local_us(dt.datetime.max)  # noqa: DTZ901 - a wall clock


def time_texts(times: pa.ChunkedArray, offsets: Sequence[int | None]) -> list[str | None]:
    """ISO 8601 of each time, as `2026-06-01T14:01:00+02:00`; None where there is none.

    Args:
        times: timestamp[us] (n,), local wall clock.
        offsets: UTC offset of each in minutes; None: not known, the text has none.
    """
    known = times.is_valid().to_pylist()
    us = pc.fill_null(times.cast(pa.int64()), 0).to_numpy()
    texts = np.datetime_as_string(us.astype("datetime64[us]"), unit="us").tolist()
    return [
        text.removesuffix(".000000") + offset_text(offset) if there else None
        for text, offset, there in zip(texts, offsets, known, strict=True)
    ]


@lru_cache(maxsize=4096)
def offset_text(minutes: int | None) -> str:
    """`+02:00`; "" where it is not known, or a day or more, which ISO 8601 has no text for."""
    if minutes is None or abs(minutes) >= _DAY_MINUTES:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def read_span(start: str | None, end: str | None) -> tuple[int, int, int] | None:
    """Start and end of a window, and their UTC offset.

    Args:
        start: ISO 8601 with or without an offset; None: no time is known.
        end: The same; None stands for `start`. With another offset it is taken to that of `start`.

    Returns:
        Local microseconds of start and end and minutes (`NO_OFFSET`: not known); None without a
        start.

    Raises:
        ValueError: A text is no time, the start lies in no plausible year, the end before it or
            in no year that can be written, or there is an end without a start.
    """
    if start is None:
        if end is not None:
            raise ValueError("window_end without a window_start")
        return None
    began = _parse(start, "window_start")
    ended = began if end is None else _parse(end, "window_end")
    first, second = offset_minutes(began), offset_minutes(ended)
    shift = (first - second) * _MINUTE_US if NO_OFFSET not in (first, second) else 0
    start_us, end_us = _plausible(local_us(began), "window_start"), local_us(ended) + shift
    if end_us < start_us:
        raise ValueError("window_end lies before window_start")
    if end_us > _LAST_US:
        raise ValueError("window_end lies after the year 9999")
    return start_us, end_us, first


def read_due(text: str) -> int:
    """Local microseconds of a due date or time; ValueError where it is none, or not plausible."""
    return _plausible(local_us(_parse(text, "due")), "due")


def _plausible(us: int, what: str) -> int:
    if not _FIRST_US <= us < _PAST_US:
        raise ValueError(f"{what} lies before {EARLIEST} or after {LATEST - 1}")
    return us


def _parse(text: str, what: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{what} is no ISO 8601 time") from None
