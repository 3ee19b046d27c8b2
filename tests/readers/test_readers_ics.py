"""Calendar files cut into their events, before any library parses them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.readers import read_calendars


def event(*lines):
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"]) + "\r\n"


def calendar(*blocks):
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(blocks) + "END:VCALENDAR\r\n"


def events(data):
    return [text for found in read_calendars(data) for text in found.events]


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_any_line_end_cuts_the_same_events(newline):
    text = calendar(event("SUMMARY:a"), event("SUMMARY:b")).replace("\r\n", newline)
    assert events(text.encode()) == [event("SUMMARY:a"), event("SUMMARY:b")]


def test_mixed_line_ends_cut_the_same_events():
    text = calendar(event("SUMMARY:a"), event("SUMMARY:b"))
    mixed = text.replace("SUMMARY:a\r\n", "SUMMARY:a\n").replace(
        "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\n"
    )
    assert events(mixed.encode()) == [event("SUMMARY:a"), event("SUMMARY:b")]


@pytest.mark.parametrize("fold", [b"\r\n ", b"\n ", b"\r\n\t"])
def test_a_fold_inside_a_utf8_sequence_is_undone_before_decoding(fold):
    data = calendar(event("SUMMARY:Zürich")).encode()
    at = data.index("ü".encode()) + 1
    assert events(data[:at] + fold + data[at:]) == [event("SUMMARY:Zürich")]


def test_several_calendars_keep_their_own_events_and_zones():
    zone = "BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\n"
    found = read_calendars((calendar(zone, event("UID:1")) + calendar(event("UID:2"))).encode())
    assert [len(c.events) for c in found] == [1, 1]
    assert [c.timezones for c in found] == [[zone], []]


@pytest.mark.parametrize(
    "tail", ["", "END:VCALENDAR\r\n", "BEGIN:VEVENT\r\nUID:2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"]
)
def test_an_event_that_is_never_closed_stays_visible_and_alone(tail):
    found = events(("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n" + tail).encode())
    assert not found[0].rstrip().endswith("END:VEVENT")
    assert len(found) == 1 + ("UID:2" in tail)


def test_an_event_inside_an_open_zone_is_found():
    text = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\n" + event("UID:1")
    assert events(text.encode()) == [event("UID:1")]


def test_a_file_that_is_not_utf8_is_taken_as_windows_1252():
    data = calendar(event("SUMMARY:Zürich “café”")).encode("cp1252")
    assert events(data) == [event("SUMMARY:Zürich “café”")]


def test_a_byte_order_mark_is_no_content():
    assert len(events(calendar(event("UID:1")).encode("utf-8-sig"))) == 1


@pytest.mark.parametrize("data", [b"", b"<html><body>404</body></html>", b"VERSION:2.0\r\n"])
def test_a_file_without_a_calendar_gives_none(data):
    assert read_calendars(data) == []


def test_an_event_before_any_calendar_line_is_not_lost():
    assert events((event("UID:1") + calendar(event("UID:2"))).encode()) == [
        event("UID:1"),
        event("UID:2"),
    ]


def test_tags_may_be_written_in_any_case():
    assert len(events(b"begin:vcalendar\nbegin:vevent\nuid:1\nend:vevent\nend:vcalendar\n")) == 1


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_crash_the_cutter(data):
    read_calendars(data)
    read_calendars(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data)


TAGS = [
    f"{what}:{name}" for what in ("BEGIN", "END") for name in ("VEVENT", "VTIMEZONE", "VCALENDAR")
]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*TAGS, "UID:1"]), max_size=14))
def test_every_begin_of_an_event_is_an_event(lines):
    assert len(events("\r\n".join(lines).encode())) == lines.count("BEGIN:VEVENT")
