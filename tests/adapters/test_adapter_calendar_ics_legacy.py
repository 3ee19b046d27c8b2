"""Older holiday calendars: the same reading, more quirks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.calendar_ics import CalendarIcs
from jepa_ray.adapters.calendar_ics_legacy import CalendarIcsLegacy
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, ActivityBatch, record_windows

ADAPTER = CalendarIcsLegacy(PrepareConfig())


def parse(*lines):
    event = ["BEGIN:VEVENT", "UID:u", *lines, "END:VEVENT"]
    data = "\n".join(["BEGIN:VCALENDAR", *event, "END:VCALENDAR"])
    return ADAPTER.parse("c.ics", [RawItem(1, "", data.encode("cp1252"))])


def test_an_all_day_event_is_a_holiday():
    batch = parse("DTSTART;VALUE=DATE:20150101", "SUMMARY:Fête")
    assert batch.columns.values[0, INDEX["holiday"] - 2] == 1
    assert record_windows(batch.columns).last.tolist() == [95]


def test_a_rule_without_an_end_is_bounded():
    batch = parse("DTSTART;VALUE=DATE:20050101", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20060101")
    assert (batch.records, batch.expanded) == (1, len(batch.columns) - 1)
    assert 5 < len(batch.columns) < 20


def test_it_is_an_extra_with_files_of_its_own():
    assert ADAPTER.info.extra
    assert not CalendarIcs.info.extra
    assert ADAPTER.info.path != CalendarIcs.info.path


@given(st.binary())
def test_no_bytes_crash_the_adapter(data):
    ADAPTER.parse("x.ics", [RawItem(1, "", data)])


@pytest.mark.realdata
def test_the_real_files_hold_12709_events(real_data):
    files = [f for s in ADAPTER.shards(real_data) for f in s.files]
    found = [parse_block(ADAPTER, f.label, b) for f in files for b in ADAPTER.blocks(f)]
    batch = ActivityBatch.join(ADAPTER.kind, found)
    assert (batch.records, batch.rejected) == (12_709, [])
    assert len(set(batch.columns.source_id)) == len(batch.columns)
