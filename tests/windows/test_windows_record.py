"""Anchors of the reference run and the rules of the window contract."""

# ruff: noqa: DTZ001 - naive wall clocks on purpose

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.windows import (
    FEATURES,
    INDEX,
    Activity,
    ActivityBatch,
    Rejected,
    Skipped,
    record_windows,
)

BERLIN = dt.timezone(dt.timedelta(hours=2))


def dense(*activities):
    return record_windows(ActivityBatch.of("kind", activities).columns).densify()


def window(**fields):
    return dense(Activity(source_id="a", **fields))[0]


def busy(found):
    """The slots where something stands."""
    return np.flatnonzero(found[:, 2:].any(axis=1)).tolist()


def at(found, slot):
    """The features of a slot that are not zero, without the positions."""
    return {
        n: round(float(found[slot, i]), 3) for n, i in INDEX.items() if i > 1 and found[slot, i]
    }


def test_the_sixteen_features_stand_in_the_order_of_the_contract():
    assert FEATURES[:3] == ("slot_position", "day_position", "calendar_event")
    assert FEATURES[8] == "deadline"
    assert FEATURES[13:] == ("completion", "source_confidence", "reserved")


def test_an_all_day_holiday_fills_all_slots():
    names = ("calendar_event", "holiday", "duration", "source_confidence")
    found = window(start=dt.datetime(2015, 1, 1), timed=False, features=dict.fromkeys(names, 1.0))
    assert busy(found) == list(range(96))
    assert at(found, 0) == at(found, 95) == dict.fromkeys(names, 1.0)
    assert round(float(found[1, 0]), 3) == round(float(found[1, 1]), 3) == 0.011


@pytest.mark.parametrize(
    ("hour", "minute", "slot", "features"),
    [
        (20, 51, 83, {"email_activity": 1.0, "source_confidence": 0.8}),
        (6, 48, 27, {"task": 1.0, "project_activity": 1.0, "source_confidence": 0.8}),
        (0, 0, 0, {"project_activity": 1.0, "code_activity": 1.0, "source_confidence": 0.9}),
        (14, 1, 56, {"task": 1.0, "project_activity": 1.0, "priority": 0.5}),
        (9, 0, 36, {"task": 1.0}),
        (23, 59, 95, {"task": 1.0}),
    ],
)
def test_an_instant_fills_the_slot_of_its_wall_clock(hour, minute, slot, features):
    found = window(start=dt.datetime(2001, 5, 14, hour, minute), features=features)
    assert busy(found) == [slot]
    assert at(found, slot) == features


def test_the_last_microsecond_of_a_slot_belongs_to_it():
    start = dt.datetime(2001, 5, 14, 9, 14, 59, 999_999)
    assert busy(window(start=start, features={"task": 1})) == [36]


def test_the_wall_clock_decides_and_not_utc():
    start = dt.datetime(2001, 5, 14, 0, 10, tzinfo=BERLIN)
    assert busy(window(start=start, features={"task": 1})) == [0]


@pytest.mark.parametrize("year", [1, 1899, 1965, 1969, 1970, 9999])
def test_years_far_from_1970_have_the_same_slots(year):
    start = dt.datetime(year, 12, 31, 23, 50)
    assert busy(window(start=start, features={"task": 1})) == [95]


@pytest.mark.parametrize(
    ("start", "minutes", "first", "last"),
    [
        ("10:00", 15, 40, 40),
        ("10:00", 16, 40, 41),
        ("10:14", 2, 40, 41),
        ("10:07", 60, 40, 44),
        ("10:00", 0, 40, 40),
        ("10:00", -30, 40, 40),
        ("00:00", 1440, 0, 95),
        ("23:50", 60, 95, 95),
        ("12:00", 9999, 48, 95),
    ],
)
def test_an_item_with_a_duration_covers_every_slot_it_touches_until_midnight(
    start, minutes, first, last
):
    begin = dt.datetime.combine(dt.date(1965, 3, 1), dt.time.fromisoformat(start))
    end = begin + dt.timedelta(minutes=minutes)
    found = window(start=begin, end=end, features={"calendar_event": 1})
    assert busy(found) == list(range(first, last + 1))


def test_a_record_without_any_time_is_untimed_and_fills_all_slots():
    batch = ActivityBatch.of("kind", [Activity("a", None, {"task": 1.0})])
    assert not batch.columns.timed[0]
    assert busy(record_windows(batch.columns).densify()[0]) == list(range(96))


def test_a_due_date_on_the_same_day_marks_the_whole_day():
    found = window(
        start=dt.datetime(2015, 3, 2, 10),
        due=dt.date(2015, 3, 2),
        features={"task": 1, "source_confidence": 0.8},
    )
    assert (found[:, INDEX["deadline"]] == 1).all()
    assert at(found, 40) == {"task": 1, "deadline": 1, "source_confidence": 0.8}
    assert at(found, 41) == {"deadline": 1, "source_confidence": 0.8}


def test_a_due_time_on_the_same_day_marks_its_slot():
    found = window(
        start=dt.datetime(1960, 3, 2, 10),
        due=dt.datetime(1960, 3, 2, 17, 5),
        features={"task": 1, "source_confidence": 0.8},
    )
    assert busy(found) == [40, 68]
    assert at(found, 68) == {"deadline": 1, "source_confidence": 0.8}


@pytest.mark.parametrize("due", [dt.date(2015, 3, 1), dt.date(2015, 3, 3)])
def test_a_due_date_on_another_day_is_not_in_the_window(due):
    found = window(start=dt.datetime(2015, 3, 2, 10), due=due, features={"task": 1})
    assert busy(found) == [40]
    assert not found[:, INDEX["deadline"]].any()


def test_a_deadline_keeps_the_higher_confidence_and_the_order_of_windows():
    day = dt.datetime(2015, 3, 2, 10)
    found = dense(
        Activity("a", day, {"task": 1, "source_confidence": 0.8}, due=dt.date(2015, 3, 2)),
        Activity("b", day, {"priority": 0.5}),
        Activity("c", day, {"source_confidence": 0.3}, due=day),
    )
    assert at(found[0], 0) == {"deadline": 1, "source_confidence": 0.8}
    assert at(found[1], 40) == {"priority": 0.5}
    assert at(found[2], 40) == {"deadline": 1, "source_confidence": 0.3}


def test_values_are_clamped_to_the_unit_interval():
    features = {"duration": 7.5, "participant_count": -1.0, "text_length": 1.0000001}
    found = window(start=dt.datetime(2015, 1, 1), features=features)
    assert at(found, 0) == {"duration": 1.0, "text_length": 1.0}


def test_an_unknown_feature_is_our_own_mistake():
    with pytest.raises(
        AssertionError, match="no stored feature 'colour'; there are calendar_event"
    ):
        window(start=None, features={"colour": 1})


def test_no_activities_give_no_windows():
    assert dense().shape == (0, 96, 16)


moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9990, 1, 1))


@settings(deadline=None)
@given(moments, st.integers(0, 3000))
def test_covered_slots_are_those_of_the_minutes_of_the_day(start, minutes):
    end = start + dt.timedelta(minutes=minutes)
    midnight = dt.datetime.combine(start.date(), dt.time())
    edges = [midnight + dt.timedelta(minutes=15 * i) for i in range(97)]
    expected = [
        i
        for i in range(96)
        if edges[i] <= start < edges[i + 1] or (edges[i] < end and start < edges[i + 1])
    ]
    assert busy(window(start=start, end=end, features={"task": 1})) == expected


def test_a_batch_accounts_for_every_record():
    items = [
        Activity("a", None, {}),
        Activity("a-1", None, {}, expanded=True),
        Rejected("x#1", "bad", "no"),
        Skipped("cancelled"),
    ]
    batch = ActivityBatch.of("kind", items)
    assert (batch.records, batch.expanded, len(batch.columns)) == (3, 1, 2)
    joined = ActivityBatch.join("kind", [batch, batch])
    assert (joined.records, joined.expanded, joined.skipped["cancelled"]) == (6, 2, 2)
    assert joined.columns.source_id == ["a", "a-1"] * 2


def test_a_batch_that_loses_a_record_is_refused():
    batch = ActivityBatch.of("kind", [Skipped("x")])
    with pytest.raises(AssertionError, match="2 records, 1 accounted"):
        ActivityBatch("kind", batch.columns, records=2, skipped=batch.skipped)
