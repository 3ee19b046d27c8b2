import datetime as dt
from collections import Counter

import pytest
from icalendar import Calendar

from jepa_ray.synth import synthesize

RECORDS = 1000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = tmp_path_factory.mktemp("calendars")
    assert synthesize("calendar_ics_thunderbird", root, seed=7, records=RECORDS) == RECORDS
    paths = sorted((root / "calendar_ics" / "thunderbird").glob("*.ics"))
    return [path.read_bytes() for path in paths]


@pytest.fixture(scope="module")
def calendars(files):
    return [Calendar.from_ical(raw.replace(b"\r\n ", b"")) for raw in files]


@pytest.fixture(scope="module")
def events(calendars):
    return [event for calendar in calendars for event in calendar.walk("VEVENT")]


def test_an_independent_reader_finds_every_event_and_no_error(events):
    assert len(events) == RECORDS
    assert not [event.errors for event in events if event.errors]


def test_one_calendar_has_no_event(calendars):
    assert [len(calendar.walk("VEVENT")) for calendar in calendars].count(0) == 1


def test_lines_end_in_crlf_and_hold_at_most_75_octets(files):
    for raw in files:
        assert raw.endswith(b"END:VCALENDAR\r\n")
        assert raw.count(b"\n") == raw.count(b"\r\n")
        assert max(len(line) for line in raw.split(b"\r\n")) == 75 or b"VEVENT" not in raw


def test_some_lines_are_folded_inside_a_utf8_sequence(files):
    with pytest.raises(UnicodeDecodeError):
        [line.decode() for raw in files for line in raw.split(b"\r\n")]
    assert all(raw.replace(b"\r\n ", b"").decode() for raw in files)


def test_most_events_are_all_day_holidays(events):
    all_day = [event for event in events if not isinstance(event.start, dt.datetime)]
    assert 0.7 < len(all_day) / len(events) < 0.8
    assert {category for event in all_day for category in event.categories} == {"Holidays"}


def test_a_uid_is_repeated_in_another_file_but_not_within_one(calendars):
    within = [[str(event["UID"]) for event in calendar.walk("VEVENT")] for calendar in calendars]
    assert all(len(uids) == len(set(uids)) for uids in within)
    assert max(Counter(uid for uids in within for uid in uids).values()) == 2


def test_timed_events_have_a_zone_and_some_a_duration_in_place_of_an_end(events):
    timed = [event for event in events if isinstance(event.start, dt.datetime)]
    assert all(event["DTSTART"].params["TZID"] for event in timed)
    assert any("DURATION" in event and "DTEND" not in event for event in timed)


def test_every_zone_that_is_named_is_described(calendars):
    for calendar in calendars:
        named = {event["DTSTART"].params.get("TZID") for event in calendar.walk("VEVENT")} - {None}
        assert named <= {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}


@pytest.mark.parametrize("frequency", ["WEEKLY", "YEARLY"])
@pytest.mark.parametrize("end", ["COUNT", "UNTIL"])
def test_recurrences_end_by_count_or_by_date(events, frequency, end):
    rules = [event["RRULE"] for event in events if "RRULE" in event]
    assert any(rule["FREQ"] == [frequency] and end in rule for rule in rules)
    assert all("COUNT" in rule or "UNTIL" in rule for rule in rules)


def test_some_recurrences_leave_a_date_out(events):
    assert all("RRULE" in event for event in events if "EXDATE" in event)
    assert any("EXDATE" in event for event in events)
