"""What adapters inherit that make activities one by one."""

import codecs
from typing import ClassVar

import pytest

from jepa_ray.adapters import JsonAdapter, LineAdapter, NotReadableError, RecordAdapter, SourceInfo
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import Activity, Skipped

INFO = SourceInfo("d", "tasks", "d/*.txt", "none", "nowhere", "none")


class _Lines(LineAdapter):
    info: ClassVar = INFO
    kind: ClassVar = "line"
    header: ClassVar = b"word"

    def activity(self, record):
        if record.data.startswith(b"bad"):
            raise NotReadableError("bad_word", "the word is bad")
        if record.data.startswith(b"skip"):
            return Skipped("asked_for")
        return Activity(f"{record.number}-{record.data.decode().strip()}", None, {"task": 1.0})


class _Pairs(JsonAdapter):
    info: ClassVar = INFO
    kind: ClassVar = "pair"

    def records(self, item):
        for where, found in super().records(item):
            for name, value in found.items():
                if value is None:
                    raise NotReadableError("no_value", "from here on nothing can be read")
                yield f"{where}:{len(name)}", value

    def activity(self, record):
        return Activity(str(record), None, {})


class _Whole(RecordAdapter):
    info: ClassVar = INFO
    kind: ClassVar = "whole"

    def activity(self, record):
        raise NotReadableError("bad_item", record.name)


def parse(adapter, data, number=1):
    return adapter(PrepareConfig()).parse("f", [RawItem(number, "n", data)])


def rejected(batch):
    return [(r.locator, r.slug) for r in batch.rejected]


def test_every_line_is_a_record_with_its_number_but_the_header_and_empty_ones():
    batch = parse(_Lines, b"word\r\na\n\nbad\nskip\nword\n")
    assert batch.columns.source_id == ["2-a", "6-word"]
    assert rejected(batch) == [("f:4", "bad_word")]
    assert (batch.records, batch.skipped) == (4, {"asked_for": 1})


def test_lines_of_a_later_chunk_are_numbered_on_and_have_no_header():
    assert parse(_Lines, b"word\nb", number=7).columns.source_id == ["7-word", "8-b"]


@pytest.mark.parametrize("first", [b"word\n", b"a\n", b""])
def test_a_byte_order_mark_belongs_to_no_line(first):
    found = parse(_Lines, codecs.BOM_UTF8 + first).columns.source_id
    assert found == (["1-a"] if first == b"a\n" else [])


def test_an_item_that_is_no_object_is_one_rejected_record():
    assert rejected(parse(_Pairs, b"[1]", number=3)) == [("f#3", "malformed_json")]


def test_an_item_that_breaks_half_way_keeps_what_came_before():
    batch = parse(_Pairs, b'{"a": 1, "bb": 2, "c": null, "d": 4}')
    assert batch.columns.source_id == ["1", "2"]
    assert rejected(batch) == [("f#1", "no_value")]
    assert batch.records == 3


def test_an_item_is_one_record_where_nobody_cuts_it():
    batch = parse(_Whole, b"", number=9)
    assert [(r.locator, r.detail) for r in batch.rejected] == [("f#9", "n")]


def test_a_file_may_be_gzipped_and_each_is_a_shard(tmp_path):
    (tmp_path / "d").mkdir()
    for name in ("b.txt", "a.txt.gz", "c.csv"):
        (tmp_path / "d" / name).touch()
    shards = _Lines(PrepareConfig()).shards(tmp_path)
    assert [f.label for s in shards for f in s.files] == ["d/a.txt.gz", "d/b.txt"]


@pytest.mark.parametrize(
    ("found", "plain"),
    [("123", True), ("9" * 20, True), ("9" * 21, False), ("", False), ("1a", False), ("٣", False)],
)
def test_only_a_number_is_an_id_that_may_be_shown(found, plain):
    shown = _Lines(PrepareConfig()).public_id(found)
    assert (shown == found) == plain
    assert plain or shown.startswith("id-")
