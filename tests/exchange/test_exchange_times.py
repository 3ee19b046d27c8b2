"""Times with their offsets, as text and back."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.exchange.times import read_due, read_span, time_texts
from jepa_ray.windows import NO_OFFSET

US = 1_000_000
LOCAL = st.datetimes(dt.datetime(1800, 1, 1), dt.datetime(2199, 12, 31))  # noqa: DTZ001
ZERO = dt.datetime(1970, 1, 1)  # noqa: DTZ001


def column(*times: dt.datetime | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(times, pa.timestamp("us"))])


@given(LOCAL, st.none() | st.integers(-1439, 1439))
def test_a_time_and_its_offset_come_back(local, offset):
    (text,) = time_texts(column(local), [offset])
    span = read_span(text, text)
    us = (local - ZERO) // dt.timedelta(microseconds=1)
    assert span == (us, us, NO_OFFSET if offset is None else offset)


@pytest.mark.parametrize(
    ("offset", "text"),
    [(0, "+00:00"), (-480, "-08:00"), (345, "+05:45"), (None, ""), (5999, "")],
)
def test_the_text_is_iso_8601_without_needless_digits(offset, text):
    assert time_texts(column(dt.datetime(2026, 6, 1, 14, 1)), [offset]) == [  # noqa: DTZ001
        f"2026-06-01T14:01:00{text}"
    ]


def test_a_window_without_a_time_has_none():
    assert time_texts(column(None), [None]) == [None]
    assert read_span(None, None) is None


@pytest.mark.parametrize(
    ("start", "end", "seconds", "offset"),
    [
        ("1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z", 3600, 0),
        ("1970-01-01T01:00:00+02:00", None, 0, 120),
        ("1970-01-01T01:00:00", "1970-01-01T01:00:00.5", 0.5, NO_OFFSET),
        ("1970-01-01T01:00:00+02:00", "1970-01-01T00:00:00+00:00", 3600, 120),
    ],
)
def test_an_end_is_on_the_wall_clock_of_its_start(start, end, seconds, offset):
    assert read_span(start, end) == (3600 * US, int((3600 + seconds) * US), offset)


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [("noon", None, "window_start"), ("", None, "window_start"), ("2026-06-01", "x", "window_end"),
     (None, "2026-06-01", "without a window_start"), ("2026-02-30T00:00:00", None, "window_start")],
)  # fmt: skip
def test_what_is_no_time_is_named_and_not_quoted(start, end, named):
    with pytest.raises(ValueError, match=named) as caught:
        read_span(start, end)
    assert not start or start not in str(caught.value)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("0001-01-01T00:00:00+14:00", None, "window_start lies before 1800"),
        ("2200-01-01T00:00:00", None, "after 2199"),
        ("2026-06-01T10:00:00", "2026-06-01T09:59:59", "before window_start"),
        ("2026-06-01T10:00:00+02:00", "2026-06-01T09:00:00+02:00", "before window_start"),
        ("2026-06-01T10:00:00+00:00", "9999-12-31T23:59:59-23:59", "after the year 9999"),
    ],
)
def test_a_time_that_nothing_else_could_read_is_refused(start, end, said):
    with pytest.raises(ValueError, match=said):
        read_span(start, end)


def test_an_end_for_ever_is_read_as_calendars_have_it():
    assert read_span("2026-06-01", "9999-12-31T23:59:59")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31"])
def test_a_due_date_of_no_plausible_year_is_none(text):
    with pytest.raises(ValueError, match="due lies"):
        read_due(text)


def test_a_due_date_is_its_midnight():
    assert read_due("1970-01-02") == 86_400 * US
    assert read_due("1970-01-02T01:00:00-05:00") == (86_400 + 3600) * US
