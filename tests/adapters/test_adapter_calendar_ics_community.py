"""Public events of cities: a holiday only where CATEGORIES says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import mutated, mutations

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.calendar_ics_community import CalendarIcsCommunity
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, record_windows

ADAPTER = CalendarIcsCommunity(PrepareConfig())


def calendar(*lines):
    event = ["BEGIN:VEVENT", "UID:u", *lines, "END:VEVENT"]
    return "\n".join(["BEGIN:VCALENDAR", *event, "END:VCALENDAR"]).encode()


def parse(data):
    return ADAPTER.parse("c.ics", [RawItem(1, "", data)])


def value(batch, name):
    return float(batch.columns.values[0, INDEX[name] - 2])


@pytest.mark.parametrize(
    ("lines", "holiday"),
    [
        ([], 0),
        (["CATEGORIES:Music"], 0),
        (["CATEGORIES:Holiday market"], 0),
        (["CATEGORIES:Holiday"], 1),
        (["CATEGORIES:Wine,public holidays"], 1),
        (["CATEGORIES:Wine", "CATEGORIES;LANGUAGE=en:HOLIDAYS"], 1),
    ],
)
def test_an_all_day_event_is_a_holiday_only_where_its_categories_say_so(lines, holiday):
    batch = parse(calendar("DTSTART;VALUE=DATE:20150101", *lines))
    assert (value(batch, "calendar_event"), value(batch, "holiday")) == (1, holiday)
    assert record_windows(batch.columns).last.tolist() == [95]


def test_a_timed_event_stands_on_its_slots():
    batch = parse(calendar("DTSTART:20150601T140000", "DTEND:20150601T150000"))
    windows = record_windows(batch.columns)
    assert (windows.first.tolist(), windows.last.tolist()) == ([56], [59])


def test_an_html_error_page_is_quarantined():
    batch = parse(b"<!DOCTYPE html>\n<html><title>Error 404</title></html>")
    assert [(r.locator, r.slug) for r in batch.rejected] == [("c.ics#1", "not_a_calendar")]


def test_files_are_found_at_any_depth(tmp_path):
    for folder in ("cities/a", "cities/b/c"):
        (tmp_path / "calendar_ics/community" / folder).mkdir(parents=True)
        (tmp_path / "calendar_ics/community" / folder / "x.ics").write_bytes(calendar())
    assert sum(len(s.files) for s in ADAPTER.shards(tmp_path)) == 2


def test_it_is_an_extra():
    assert ADAPTER.info.extra


@given(st.binary(), mutations)
def test_no_bytes_crash_the_adapter(data, changes):
    parse(data)
    parse(mutated(calendar("DTSTART;VALUE=DATE:20150101", "CATEGORIES:Holiday,a"), changes))


@pytest.mark.realdata
def test_the_real_files_hold_5580_events_and_two_error_pages(real_data):
    files = [f for s in ADAPTER.shards(real_data) for f in s.files]
    found = [parse_block(ADAPTER, f.label, b) for f in files for b in ADAPTER.blocks(f)]
    assert [r.slug for b in found for r in b.rejected] == ["not_a_calendar"] * 2
    assert sum(b.records for b in found) == 5_580 + 2
