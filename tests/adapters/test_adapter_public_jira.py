"""Public Jira in its normalised form."""

import codecs
import json

import pytest

from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_OFFSET, NO_TIME, record_windows, window_table

ADAPTER = PublicJira(PrepareConfig())


def issue(**fields):
    found = {
        "id": "Duraspace:16833",
        "key": "DS-1",
        "created": "2014-05-02T06:48:12.000+0000",
        "dueDate": None,
        "summary": "12345",
        "description": "67890",
    }
    return json.dumps({k: v for k, v in (found | fields).items() if v != "absent"}).encode()


def parse(data, number=1):
    return ADAPTER.parse("j.jsonl.gz", [RawItem(number, "", data)])


def one(**fields):
    batch = parse(issue(**fields))
    assert batch.rejected == []
    return batch


def value(batch, name):
    return round(float(batch.columns.values[0, INDEX[name] - 2]), 5)


def dense(batch):
    return record_windows(batch.columns).densify()[0]


def test_an_issue_stands_in_the_slot_of_its_creation():
    batch = one()
    assert record_windows(batch.columns).first.tolist() == [27]
    names = ("task", "project_activity", "priority", "text_length", "source_confidence")
    assert [value(batch, name) for name in names] == [1, 1, 0, 0.002, 0.8]
    assert batch.columns.offset_minutes.tolist() == [0]


def test_a_due_date_of_the_same_day_marks_the_day():
    assert dense(one(dueDate="2014-05-02"))[:, INDEX["deadline"]].sum() == 96


@pytest.mark.parametrize("due", ["2014-05-01", "2014-06-01"])
def test_a_due_date_of_another_day_is_kept_beside_the_window(due):
    batch = one(dueDate=due)
    assert dense(batch)[:, INDEX["deadline"]].sum() == 0
    assert batch.columns.due_us[0] != NO_TIME


@pytest.mark.parametrize("due", [None, "", "absent"])
def test_an_issue_may_have_no_due_date(due):
    assert one(dueDate=due).columns.due_us.tolist() == [NO_TIME]


@pytest.mark.parametrize(
    ("created", "offset"),
    [
        ("2014-05-02T06:48:12.000+0000", 0),
        ("2014-05-02T06:48:12.000-0700", -420),
        ("2014-05-02T06:48:12Z", 0),
        ("2014-05-02T06:48:12", NO_OFFSET),
        ("2014-05-02 06:48", NO_OFFSET),
    ],
)
def test_the_offset_of_the_stamp_is_kept_and_its_clock_decides(created, offset):
    batch = one(created=created)
    assert record_windows(batch.columns).first.tolist() == [27]
    assert batch.columns.offset_minutes.tolist() == [offset]


def test_a_creation_without_time_is_untimed():
    assert not one(created="2014-05-02").columns.timed[0]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("Major", 0.75), ("unheard of", 0.5), (None, 0.5), ({"name": "Blocker"}, 1), (7, 0.5)],
)
def test_a_priority_is_mapped_where_there_is_one(priority, expected):
    assert value(one(priority=priority), "priority") == expected


DOCUMENT = {
    "type": "doc",
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "1234"}, 5, None]}],
}


@pytest.mark.parametrize(
    ("description", "chars"),
    [(None, 5), ("absent", 5), (DOCUMENT, 9), (5, 5), ([], 5), ("a\0b", 8), ("é" * 5, 10)],
)
def test_any_description_is_measured(description, chars):
    assert value(one(description=description), "text_length") == chars / 5000


@pytest.mark.parametrize(
    ("line", "slug"),
    [
        (b"{", "malformed_line"),
        (b"\xff", "malformed_line"),
        (b"null", "malformed_line"),
        (b"5", "malformed_line"),
        (b"[]", "malformed_line"),
        (b"[" * 100_000, "malformed_line"),
        (b'{"a":' * 100_000, "malformed_line"),
        (issue() + issue(), "malformed_line"),
        (b'{"id":"\\ud800"}', "malformed_line"),
        (b"{}", "missing_field"),
        (issue(id=5), "missing_field"),
        (issue(id=""), "missing_field"),
        (issue(created=None), "missing_field"),
        (issue(created=1398995292), "missing_field"),
        (issue(created="May 2"), "bad_time"),
        (issue(created="2014-02-30T00:00:00Z"), "bad_time"),
        (issue(dueDate="soon"), "bad_time"),
        (issue(dueDate=20140502), "bad_time"),
        (issue(dueDate=["2014-05-02"]), "bad_time"),
        (issue(created="0001-01-01T00:00:00+14:00"), "implausible_date"),
        (issue(created="9999-12-31T23:59:59-12:00"), "implausible_date"),
        (issue(dueDate="0214-05-02"), "implausible_date"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_its_neighbours_read(line, slug):
    batch = parse(issue() + b"\r\n" + line + b"\n\n" + issue(id="Duraspace:2"), number=5)
    assert [(r.locator, r.slug) for r in batch.rejected] == [("j.jsonl.gz:6", slug)]
    assert (batch.records, len(batch.columns)) == (3, 2)


def test_a_byte_order_mark_is_no_defect():
    assert parse(codecs.BOM_UTF8 + issue()).rejected == []


def test_equal_numbers_of_two_jiras_are_two_issues():
    batch = parse(issue(id="A:1") + b"\n" + issue(id="B:1"))
    table = window_table("d", batch.kind, batch.columns, record_windows(batch.columns))
    assert len(set(table["window_uid"].to_pylist())) == 2


@pytest.mark.parametrize(
    "source_id", ["Jane Doe", "x:Jane", "A:٣", ":1", "A:1:x", "\0", "A:" + "9" * 99]
)
def test_an_id_that_could_carry_text_is_hashed(source_id):
    assert one(id=source_id).columns.source_id[0].isascii()


def test_issues_of_a_project_share_its_hash():
    batch = parse(b"\n".join(issue(key=key) for key in ("DS-1", "DS-2", "VIVO-1", None, "X")))
    found = batch.columns.project.tolist()
    assert found[0] == found[1] != found[2]
    assert found[3:] == [0, 0]


def test_a_huge_document_is_measured_in_bounded_time():
    text = {"text": "x"}
    assert value(one(description={"content": [text] * 200_000}), "text_length") == 1
