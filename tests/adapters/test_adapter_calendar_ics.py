"""Calendar files: which windows, skips and rejections an event becomes."""

# ruff: noqa: DTZ001 - naive wall clocks on purpose

import datetime as dt
import time

import pytest

from jepa_ray.adapters.calendar_ics import CalendarIcs
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_OFFSET, record_windows

ADAPTER = CalendarIcs(PrepareConfig())
ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n{}"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:{}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def event(*lines):
    return "\r\n".join(["BEGIN:VEVENT", "UID:u", *lines, "END:VEVENT"]) + "\r\n"


def calendar(*blocks):
    return ("BEGIN:VCALENDAR\r\n" + "".join(blocks) + "END:VCALENDAR\r\n").encode()


def parse(data):
    return ADAPTER.parse("x.ics", [RawItem(1, "", data)])


def one(*lines):
    return parse(calendar(event(*lines)))


def spans(batch):
    """(first slot, last slot) of each window."""
    windows = record_windows(batch.columns)
    return list(zip(windows.first.tolist(), windows.last.tolist(), strict=True))


def value(batch, name, row=0):
    return round(float(batch.columns.values[row, INDEX[name] - 2]), 4)


def start(batch, row=0):
    return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=int(batch.columns.start_us[row]))


def slugs(batch):
    return [r.slug for r in batch.rejected]


def test_an_all_day_event_is_a_holiday_of_the_whole_day():
    batch = one("DTSTART;VALUE=DATE:20150101", "SUMMARY:abcde")
    assert spans(batch) == [(0, 95)]
    names = ("calendar_event", "holiday", "duration", "source_confidence")
    assert [value(batch, name) for name in names] == [1, 1, 1, 1]
    assert value(batch, "text_length") == 0.001
    assert batch.columns.offset_minutes[0] == NO_OFFSET
    assert not batch.columns.timed[0]


@pytest.mark.parametrize(
    "parameters", ["VALUE=DATE;TZID=Europe/Berlin", "TZID=Europe/Berlin;VALUE=DATE"]
)
def test_an_all_day_event_with_a_zone_is_all_day(parameters):
    batch = one(f"DTSTART;{parameters}:20150101", f"DTEND;{parameters}:20150102")
    assert spans(batch) == [(0, 95)]
    assert value(batch, "holiday") == 1


def test_a_timed_event_stands_on_the_wall_clock_of_its_zone():
    batch = one("DTSTART;TZID=Europe/Berlin:20150601T140000", "DURATION:PT45M")
    assert spans(batch) == [(56, 58)]
    assert batch.columns.offset_minutes[0] == 120
    assert value(batch, "duration") == round(45 / 1440, 4)
    assert value(batch, "holiday") == 0


def test_a_vendor_prefix_before_a_zone_is_understood():
    batch = one("DTSTART;TZID=/mozilla.org/20070129_1/Europe/Brussels:20150601T140000")
    assert batch.columns.offset_minutes[0] == 120


def test_an_unknown_zone_keeps_the_wall_clock_and_has_no_offset():
    batch = one("DTSTART;TZID=Nowhere/City:20150601T140000")
    assert spans(batch) == [(56, 56)]
    assert batch.columns.offset_minutes[0] == NO_OFFSET


@pytest.mark.parametrize(
    ("end", "span"),
    [
        ("DTEND:20150601T130000Z", (56, 59)),
        ("DTEND;TZID=America/New_York:20150601T090000", (56, 59)),
        ("DTEND;TZID=Asia/Tokyo:20150601T210500", (56, 56)),
        ("DTEND;TZID=Europe/Berlin:20150602T010000", (56, 95)),
        ("DTEND;TZID=Europe/Berlin:20150601T140000", (56, 56)),
        ("DTEND;TZID=Europe/Berlin:20150601T120000", (56, 56)),
        ("DURATION:PT0S", (56, 56)),
        ("DURATION:-PT2H", (56, 56)),
        ("X-NONE:1", (56, 56)),
    ],
)
def test_an_end_counts_on_the_clock_of_the_start(end, span):
    batch = one("DTSTART;TZID=Europe/Berlin:20150601T140000", end)
    assert spans(batch) == [span]
    assert batch.columns.end_us[0] >= batch.columns.start_us[0]


@pytest.mark.parametrize("day", ["20150329", "20151025"])
def test_on_days_of_23_and_25_hours_the_wall_clock_decides(day):
    batch = one(f"DTSTART;TZID=Europe/Berlin:{day}T040000", "DURATION:PT15M")
    assert spans(batch) == [(16, 16)]


@pytest.mark.parametrize(
    ("stamp", "slot"), [("18991231T235900Z", 95), ("19650101T100500Z", 40), ("20601231T000000", 0)]
)
def test_years_before_1970_and_far_ahead_have_the_right_slot(stamp, slot):
    assert spans(one(f"DTSTART:{stamp}")) == [(slot, slot)]


def test_people_and_priority_are_counted():
    batch = one(
        "DTSTART:20150101T100000Z",
        "ATTENDEE:mailto:a@example.com",
        "ATTENDEE:MAILTO:A@example.com",
        "ATTENDEE:mailto:b@example.com",
        "ORGANIZER:mailto:c@example.com",
        "PRIORITY:1",
    )
    assert value(batch, "participant_count") == 3 / 50
    assert value(batch, "priority") == 1


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        (["SUMMARY:no start"], "bad_start"),
        (["DTSTART:yesterday"], "bad_start"),
        (["DTSTART:20150101T100000Z", "DTSTART:20150101T100000Z"], "bad_start"),
        (["DTSTART;VALUE=TIME:100000"], "bad_start"),
        (["DTSTART;VALUE=PERIOD:20150101T100000Z/PT1H"], "bad_start"),
        (["DTSTART:20150101T100000Z", "DTEND:tomorrow"], "bad_end"),
        (["DTSTART:20150101T100000Z", "DTEND;VALUE=DATE:20150102"], "bad_end"),
        (["DTSTART:20150101T100000Z", "DTEND:20150101T120000"], "bad_end"),
        (["DTSTART:20150101T100000Z", "DURATION:P99999999D"], "bad_end"),
        (["DTSTART;VALUE=DATE:17991231"], "implausible_date"),
        (["DTSTART;VALUE=DATE:00010101"], "implausible_date"),
        (["DTSTART:99991231T235959Z"], "implausible_date"),
        (["DTSTART:20150101T100000Z", "RRULE:FREQ=SOMETIMES"], "bad_recurrence"),
        (["DTSTART:20150101T100000Z", "RRULE:FREQ=DAILY;INTERVAL=0"], "bad_recurrence"),
        (["DTSTART:20150101T100000Z", "RRULE:FREQ=DAILY;INTERVAL=-1"], "bad_recurrence"),
        (["DTSTART:20150101T100000Z", "EXDATE:never"], "bad_recurrence"),
        (["DTSTART:20150101T100000Z", *["RECURRENCE-ID:20150101T100000Z"] * 2], "bad_recurrence"),
        (
            ["DTSTART:20150101T100000Z", "RECURRENCE-ID;TZID=Asia/Tokyo:00010101T000000"],
            "bad_recurrence",
        ),
        (["DTSTART:20150101T100000Z", "BEGIN:VALARM"], "malformed_event"),
    ],
)
def test_a_bad_event_is_rejected_and_its_neighbour_read(lines, slug):
    batch = parse(calendar(event(*lines), event("DTSTART:20150101T100000Z")))
    assert slugs(batch) == [slug]
    assert batch.rejected[0].locator == "x.ics#1"
    assert (batch.records, len(batch.columns)) == (2, 1)


@pytest.mark.parametrize("data", [b"<html>404</html>", b"\xff\xfe\x00", b"\0" * 100])
def test_what_is_no_calendar_is_one_rejected_record(data):
    batch = parse(data)
    assert slugs(batch) == ["not_a_calendar"]
    assert batch.records == 1


def test_an_unclosed_event_is_rejected():
    batch = parse(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20150101T100000Z\r\n")
    assert slugs(batch) == ["unclosed_event"]


def test_a_calendar_without_events_has_no_records():
    assert parse(calendar()).records == 0


def test_a_cancelled_event_is_skipped():
    batch = one("DTSTART:20150101T100000Z", "STATUS:CANCELLED")
    assert (batch.records, batch.skipped["cancelled"]) == (1, 1)


def test_repeated_uids_are_records_of_their_own():
    same = event("DTSTART:20150101T100000Z")
    batch = parse(calendar(same, same) + calendar(same))
    assert (batch.records, len(set(batch.columns.source_id))) == (3, 3)


def test_a_recurrence_becomes_one_record_of_many_windows():
    batch = one("DTSTART;TZID=Europe/Berlin:20150301T090000", "RRULE:FREQ=WEEKLY;COUNT=6")
    assert (batch.records, batch.expanded, len(batch.columns)) == (1, 5, 6)
    assert set(spans(batch)) == {(36, 36)}
    assert batch.columns.offset_minutes.tolist() == [60] * 4 + [120] * 2
    assert len(set(batch.columns.source_id)) == 6


def test_an_unbounded_yearly_rule_ends_at_the_horizon():
    assert len(one("DTSTART;VALUE=DATE:20150101", "RRULE:FREQ=YEARLY").columns) == 10


def test_exdate_takes_away_and_rdate_adds():
    batch = one(
        "DTSTART:20150101T100000Z",
        "RRULE:FREQ=DAILY;COUNT=3",
        "EXDATE:20150102T100000Z",
        "RDATE:20150301T120000Z",
    )
    assert [start(batch, i).day for i in range(3)] == [1, 3, 1]
    assert spans(batch) == [(40, 40), (40, 40), (48, 48)]


def test_a_moved_occurrence_replaces_the_one_it_names():
    batch = parse(
        calendar(
            event("DTSTART:20150101T100000Z", "RRULE:FREQ=DAILY;COUNT=3"),
            event("DTSTART:20150102T150000Z", "RECURRENCE-ID:20150102T100000Z"),
        )
    )
    assert (batch.records, batch.expanded) == (2, 1)
    assert sorted(spans(batch)) == [(40, 40), (40, 40), (60, 60)]


def test_a_rule_without_any_occurrence_left_is_skipped():
    batch = one(
        "DTSTART;VALUE=DATE:20150101", "RRULE:FREQ=YEARLY;COUNT=1", "EXDATE;VALUE=DATE:20150101"
    )
    assert batch.skipped["no_occurrence"] == batch.records == 1


def test_an_end_before_the_start_does_not_move_the_occurrences():
    lines = ("DTSTART:20150101T100000Z", "DTEND:20150101T090000Z", "RRULE:FREQ=DAILY;COUNT=3")
    assert spans(one(*lines)) == [(40, 40)] * 3


EVERYTHING = ";".join(
    f"{name}={','.join(map(str, range(limit)))}"
    for name, limit in (("BYHOUR", 24), ("BYMINUTE", 60), ("BYSECOND", 60))
)
HOURS = [
    f"2015{m:02}{d:02}T{h:02}0000Z" for m in range(1, 13) for d in range(1, 29) for h in range(24)
]


@pytest.mark.parametrize(
    "lines",
    [
        ["RRULE:FREQ=SECONDLY"],
        ["RRULE:FREQ=DAILY;COUNT=1000000000"],
        ["RRULE:FREQ=SECONDLY;UNTIL=20990101T000000Z"],
        ["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
        ["RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"],
        ["RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO"],
        ["RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"],
        ["RRULE:FREQ=SECONDLY;BYSETPOS=2"],
        ["RRULE:FREQ=MINUTELY;BYSETPOS=2;BYDAY=MO"],
        ["RRULE:FREQ=SECONDLY;BYHOUR=23;BYMINUTE=59;BYMONTH=2;BYMONTHDAY=30"],
        ["RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"],
        [f"RRULE:FREQ=YEARLY;{EVERYTHING};BYDAY=MO,TU,WE,TH,FR,SA,SU"],
        [f"RRULE:FREQ=DAILY;{EVERYTHING}"],
        ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=DAILY"],
        [f"RRULE:FREQ=SECONDLY;INTERVAL={i}" for i in range(1, 500)],
        ["RRULE:FREQ=YEARLY;BYSETPOS=" + ",".join(["1"] * 100_000)],
        ["RRULE:FREQ=DAILY;INTERVAL=" + "9" * 30],
        ["RDATE:" + ",".join(HOURS)],
        ["RRULE:FREQ=DAILY", "EXDATE:" + ",".join(HOURS)],
        ["DTEND:20990101T000000Z", "RRULE:FREQ=SECONDLY"],
    ],
    ids=lambda lines: lines[-1][:50],
)
def test_a_recurrence_bomb_ends_fast_and_bounded(lines):
    begin = time.process_time()
    batch = one("DTSTART:20150101T100000Z", *lines)
    assert time.process_time() - begin < 5
    assert batch.records == 1
    assert len(batch.columns) <= 64


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"]
)
def test_a_bomb_in_a_zone_makes_it_an_unknown_zone(rule):
    begin = time.process_time()
    zone = ZONE.format(f"RRULE:{rule}\r\n", "+0300")
    batch = parse(calendar(zone, event("DTSTART;TZID=Odd:20150101T100000")))
    assert time.process_time() - begin < 5
    assert batch.columns.offset_minutes.tolist() == [NO_OFFSET]


def test_a_zone_of_the_file_gives_the_offset():
    rule = "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
    zone = ZONE.format(rule, "+0300")
    batch = parse(calendar(zone, event("DTSTART;TZID=Odd:20150101T100000")))
    assert batch.columns.offset_minutes.tolist() == [180]


def test_a_zone_of_another_file_has_no_influence():
    timed = event("DTSTART;TZID=Odd:20150101T100000")
    parse(calendar(ZONE.format("", "+0300"), timed))
    assert parse(calendar(timed)).columns.offset_minutes.tolist() == [NO_OFFSET]
    other = parse(calendar(ZONE.format("", "+0500"), timed))
    assert other.columns.offset_minutes.tolist() == [300]


def test_many_zones_and_events_take_linear_time():
    zones = "".join(ZONE.format("", "+0300").replace("Odd", f"Odd{i}") for i in range(300))
    begin = time.process_time()
    batch = parse(calendar(zones, *[event("DTSTART:20150101T100000Z")] * 300))
    assert time.process_time() - begin < 5
    assert len(batch.columns) == 300


def test_deep_nesting_is_rejected():
    batch = one("DTSTART:20150101T100000Z", *["BEGIN:VALARM"] * 5000, *["END:VALARM"] * 5000)
    assert batch.records == 1
