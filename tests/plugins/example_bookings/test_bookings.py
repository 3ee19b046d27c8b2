"""Bookings: which windows, skips and rejections a row becomes."""

import codecs
import json
from pathlib import Path

import pytest
from bookings import COLUMNS, Bookings
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import parse_block
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, record_windows

ADAPTER = Bookings(PrepareConfig())
HEADER = ",".join(COLUMNS) + "\r\n"
ROW = {
    "id": "7",
    "room": "Blue room",
    "person": "Ada",
    "start": "2026-03-02 09:00",
    "end": "2026-03-02 10:30",
    "created": "2026-02-27 16:05",
    "cancelled": "no",
}


def line(**fields):
    return ",".join((ROW | fields).values()) + "\r\n"


def parse(data):
    return ADAPTER.parse("b.csv", [RawItem(1, "", data)])


def rows(*lines):
    return parse((HEADER + "".join(lines)).encode())


def one(**fields):
    batch = rows(line(**fields))
    assert batch.rejected == []
    return batch


def slots(batch):
    """The first and the last slot of each window."""
    windows = record_windows(batch.columns)
    return list(zip(windows.first.tolist(), windows.last.tolist(), strict=True))


def value(batch, name):
    return round(float(record_windows(batch.columns).densify()[0, :, INDEX[name]].max()), 5)


def rejected(batch):
    return [(r.locator, r.slug) for r in batch.rejected]


def test_a_booking_stands_on_the_slots_that_it_occupies():
    batch = one()
    assert slots(batch) == [(36, 41)]
    assert value(batch, "calendar_event") == 1
    assert value(batch, "duration") == 0.0625
    assert value(batch, "source_confidence") == pytest.approx(0.9)
    assert json.loads(batch.columns.metadata[0]) == {"booked_days_before": 2}


def test_a_booking_without_an_end_marks_the_slot_of_its_start():
    batch = one(end="")
    assert slots(batch) == [(36, 36)]
    assert value(batch, "duration") == 0


def test_a_date_without_a_time_is_a_whole_day():
    batch = one(start="2026-03-02", end="2026-03-02", created="")
    assert slots(batch) == [(0, 95)]
    assert value(batch, "duration") == 1
    assert batch.columns.metadata == [None]


@pytest.mark.parametrize("cancelled", ["yes", "YES", " yes "])
def test_a_cancelled_booking_is_skipped(cancelled):
    assert rows(line(cancelled=cancelled), line()).skipped == {"cancelled": 1}


def test_a_quoted_field_may_hold_newlines_and_lines_are_counted_on():
    batch = rows(line(person='"Ada\r\nand\n""Grace"""'), "\r\n", line(start="soon"))
    assert len(batch.columns) == 1
    assert rejected(batch) == [("b.csv:6", "bad_time")]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_byte_order_mark_is_no_part_of_the_header(mark):
    assert len(parse(mark + (HEADER + line()).encode()).columns) == 1


def test_other_bytes_than_utf_8_are_taken_as_windows_1252():
    batch = parse((HEADER + line(person="Zoë")).encode("cp1252"))
    assert batch.columns.actor.tolist() == one(person="Zoë").columns.actor.tolist()


@pytest.mark.parametrize(
    ("bad", "slug"),
    [
        (line(start=""), "missing_field"),
        (line(id=""), "missing_field"),
        (line(start="2026-02-30 09:00"), "bad_time"),
        (line(end="noon"), "bad_time"),
        (line(created="yesterday"), "bad_time"),
        (line(start="2026-03-02T09:00+01:00"), "bad_time"),
        (line(start="0202-03-02 09:00"), "implausible_date"),
        (line(end="2026-03-02 08:00"), "end_before_start"),
        (line(end="2026-03-02"), "end_before_start"),
        (line(cancelled="perhaps"), "bad_flag"),
        ("7,Blue room\r\n", "malformed_row"),
        (line(room='"Blue" room'), "malformed_row"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_its_neighbours_read(bad, slug):
    batch = rows(line(id="1"), bad, line(id="2"))
    assert rejected(batch) == [("b.csv:3", slug)]
    assert batch.columns.source_id == ["1", "2"]


def test_a_quote_that_is_never_closed_costs_the_rest_of_the_file():
    batch = rows(line(), line(room='"Blue room'), line())
    assert len(batch.columns) == 1
    assert rejected(batch) == [("b.csv:3", "malformed_row")]


@pytest.mark.parametrize(
    "data", [b"", b"a,b\n1,2\n", b'"', b'"id"s,', HEADER.replace(",", ";").encode()]
)
def test_another_header_rejects_the_file(data):
    assert rejected(parse(data)) == [("b.csv#1", "unknown_header")]


def test_no_name_leaves():
    fields = ("id", "room", "person", "end", "cancelled")
    batch = rows(*(line(**{name: "Grace"}) for name in fields), line(room='"Grace"s'))
    assert (len(batch.columns), len(batch.rejected)) == (3, 3)
    assert "grace" not in repr([batch.columns, batch.rejected]).lower()


@given(st.binary() | st.text(',";\r\n 1é').map(str.encode))
def test_no_bytes_crash_the_adapter(data):
    parse(data)
    parse(HEADER.encode() + line().encode() + data)


def test_the_sample_is_read_from_its_file():
    root = Path(__file__).parent / "data"
    found = [
        parse_block(ADAPTER, file.label, block)
        for shard in ADAPTER.shards(root)
        for file in shard.files
        for block in ADAPTER.blocks(file)
    ]
    assert [(b.records, len(b.columns), b.skipped.total()) for b in found] == [(4, 3, 1)]
