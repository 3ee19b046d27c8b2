"""GH Archive: both schemas, run-together and cut lines, and the fast path against the slow one."""

import codecs
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.adapters.gharchive import GHArchive
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, ActivityBatch, record_windows, window_table

ADAPTER = GHArchive(PrepareConfig())


def new(**fields):
    """An event of 2015 and later."""
    event = {
        "id": "2489368070",
        "type": "PushEvent",
        "actor": {"login": "jane", "id": 1},
        "repo": {"name": "jane/repo"},
        "payload": {"commits": [{"message": "12345"}]},
        "created_at": "2015-01-01T00:00:30Z",
    }
    return event | fields


def old(**fields):
    """An event of 2011-2014."""
    event = {
        "created_at": "2012-07-26T00:02:09-07:00",
        "payload": {"shas": [["0a1b", "j@x.org", "12345", "Jane"]]},
        "type": "PushEvent",
        "actor": "jane",
        "actor_attributes": {"login": "jane"},
        "repository": {"owner": "jane", "name": "repo"},
    }
    return event | fields


def line(event):
    return json.dumps(event, ensure_ascii=False).encode()


def parse(data, number=1):
    return ADAPTER.parse("h.json.gz", [RawItem(number, "", data)])


def table(batch):
    return window_table("d", batch.kind, batch.columns, record_windows(batch.columns))


def value(batch, name, row=0):
    return round(float(batch.columns.values[row, INDEX[name] - 2]), 5)


def slots(batch):
    return record_windows(batch.columns).first.tolist()


def slugs(batch):
    return [(r.locator.removeprefix("h.json.gz:"), r.slug) for r in batch.rejected]


def test_an_event_just_after_midnight_is_in_slot_0():
    batch = parse(line(new()))
    assert slots(batch) == [0]
    names = ("project_activity", "code_activity", "source_confidence", "task", "text_length")
    assert [value(batch, name) for name in names] == [1, 1, 0.9, 0, 0.001]
    assert batch.columns.offset_minutes.tolist() == [0]
    assert batch.columns.category == ["PushEvent"]


def test_an_old_event_stands_on_its_own_wall_clock():
    batch = parse(line(old()))
    assert slots(batch) == [0]
    assert batch.columns.offset_minutes.tolist() == [-420]
    assert value(batch, "text_length") == 0.001


def test_the_oldest_form_of_time_is_read():
    batch = parse(line(old(created_at="2012/04/01 09:30:00 -0700")))
    assert (slots(batch), batch.columns.offset_minutes.tolist()) == ([38], [-420])


def test_both_schemas_name_the_same_person_and_repository():
    first, second = parse(line(new())).columns, parse(line(old())).columns
    assert first.actor == second.actor
    assert first.project == second.project


def test_a_closed_issue_is_a_completed_task():
    batch = parse(line(new(type="IssuesEvent", payload={"action": "closed"})))
    assert (value(batch, "task"), value(batch, "completion")) == (1, 1)


@pytest.mark.parametrize(
    "stamp",
    [
        "2015-01-01T09:30:00.123Z",
        "2015-01-01T09:30:00+02:00",
        "2015-01-01 09:30:00",
        "2015-01-01T09:30",
    ],
)
def test_other_forms_of_time_keep_their_wall_clock(stamp):
    assert slots(parse(line(new(created_at=stamp)))) == [38]


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"{", "malformed_line"),
        (b"null", "malformed_line"),
        (b"[]", "malformed_line"),
        (b"{}", "missing_field"),
        (b"\xff\xfe", "malformed_line"),
        (b"[" * 100_000, "malformed_line"),
        (b'{"a":' * 100_000, "malformed_line"),
        (b"9" * 10_000, "malformed_line"),
        (line(new(type=None)), "missing_field"),
        (line(new(actor=None)), "missing_field"),
        (line(new(actor={"login": ""})), "missing_field"),
        (line(new(created_at=None)), "missing_field"),
        (line(new(created_at=1420070430)), "missing_field"),
        (line(new(created_at="soon")), "bad_time"),
        (line(new(created_at="2015-01-01T00:00+010Z")), "bad_time"),
        (line(new(created_at="2015-13-01T00:00:00Z")), "bad_time"),
        (line(new(created_at="0001-01-01T00:00:00Z")), "implausible_date"),
        (line(new(created_at="9999-12-31T23:59:59-12:00")), "implausible_date"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_its_neighbours_read(data, slug):
    batch = parse(line(new()) + b"\n" + data + b"\n" + line(new(id="2")) + b"\n", number=7)
    assert slugs(batch) == [("8", slug)]
    assert (batch.records, batch.columns.source_id) == (3, ["2489368070", "2"])


def test_stamps_that_are_whole_only_together_are_rejected_each():
    stamps = ["2015-01-01T00:00:00", "Z2015-01-01T00:00:00Z", "2015-01-01T00:00:00Z", ""]
    batch = parse(b"\n".join(line(new(created_at=stamp)) for stamp in stamps))
    assert slugs(batch) == [("2", "bad_time"), ("4", "bad_time")]
    batch = parse(line(new(created_at=2 * stamps[2])) + b"\n" + line(new(created_at="")))
    assert slugs(batch) == [("1", "bad_time"), ("2", "bad_time")]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 5},
        {"id": None},
        {"id": 1.5},
        {"id": True},
        {"id": "Jane Doe"},
        {"id": "9" * 30},
        {"payload": None},
        {"payload": "text"},
        {"payload": {"commits": "x", "issue": [], "pages": [None], "shas": [1, [2], [1, 2, 3]]}},
        {"payload": {"commits": [None, {"message": None}, {"message": 5}]}},
        {"repo": None},
        {"repo": {"name": ""}},
        {"repo": {"name": 5}},
        {"type": "SomethingNew"},
        {"org": None, "public": "yes"},
    ],
)
def test_odd_fields_do_not_cost_the_event(fields):
    batch = parse(line(new(**fields)))
    assert (batch.rejected, len(batch.columns)) == ([], 1)
    assert table(batch).num_rows == 1


def test_bytes_that_are_no_utf8_in_a_field_we_do_not_use_show_only_beside_an_odd_line():
    odd = line(new(org="\x7f")).replace(b"\\u007f", b"\x7f").replace(b"\x7f", b"\xff")
    assert parse(odd).rejected == []
    assert slugs(parse(odd + b"\n{")) == [("1", "malformed_line"), ("2", "malformed_line")]


@pytest.mark.parametrize("separator", [b"", b" ", b"\t"])
def test_two_objects_on_one_line_are_two_events(separator):
    batch = parse(line(new()) + separator + line(new(id="2")))
    assert (batch.records, batch.rejected, batch.columns.source_id) == (2, [], ["2489368070", "2"])


def test_a_line_cut_by_the_next_is_one_rejection_and_one_event():
    batch = parse(line(new())[:70] + line(new(id="2")) + b"\n" + line(new(id="3")))
    assert slugs(batch) == [("1", "malformed_line")]
    assert batch.columns.source_id == ["2", "3"]


def test_blank_lines_and_carriage_returns_are_no_records():
    data = b"\n \r\n" + line(new()) + b"\r\n\n" + line(old()) + b"\r\n\r\n"
    assert (parse(data).records, parse(data).rejected) == (2, [])
    assert parse(b"\n\n").records == 0


@pytest.mark.parametrize("event", [new(), old()])
def test_a_byte_order_mark_is_no_record(event):
    batch = parse(codecs.BOM_UTF8 + line(event))
    assert (batch.records, batch.rejected) == (1, [])


@pytest.mark.parametrize("event", [new(), old()])
def test_a_duplicate_keeps_its_uid_and_is_counted(event):
    found = table(parse(line(event) + b"\n" + line(event)))["window_uid"].to_pylist()
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "data",
    [
        b'{"id":' * 300_000,
        b'{"id":[' + b"1," * 2_000_000,
        (b'{"id":1,' + b" " * 900) * 3000,
        line(old()) * 3000 + b"x",
        (line(new()) + b"x") * 3000,
        (b'{"id":"' + line(new())) * 3000,
    ],
    ids=["nested", "long", "starts", "good", "good and bad", "cut"],
)
def test_a_hostile_line_ends_fast(data):
    begin = time.process_time()
    batch = parse(data)
    assert time.process_time() - begin < 8
    assert batch.rejected


def test_a_good_event_before_and_after_bad_bytes_of_the_same_line_is_read():
    batch = parse(line(new()) + b'{"id":"\xff"}' + line(new(id="2")))
    assert [r.detail for r in batch.rejected] == ["not UTF-8"]
    assert batch.columns.source_id == ["2489368070", "2"]


texts = st.none() | st.text(max_size=8)
holders = st.none() | st.fixed_dictionaries(
    {}, optional={"title": texts, "name": texts, "body": texts, "extra": texts}
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["closed", "opened", None]),
        "description": texts,
        "issue": holders,
        "pull_request": holders,
        "comment": holders,
        "release": holders,
        "commits": st.lists(st.fixed_dictionaries({}, optional={"message": texts}), max_size=3),
        "pages": st.lists(st.fixed_dictionaries({"title": texts, "summary": texts}), max_size=3),
        "shas": st.lists(st.lists(texts, max_size=5) | texts, max_size=3),
    },
)
stamps = st.datetimes().map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")) | st.sampled_from(
    [
        "2015-01-01T00:00Z",
        "2015-01-01T00:00+010Z",
        "2015-01-01 00:00:00Z",
        "now",
        "2014-12-31T23:59:59Z",
    ]
)
events = st.builds(
    new,
    id=st.integers(0, 10**11).map(str) | st.text(max_size=4),
    type=st.sampled_from(["PushEvent", "IssuesEvent", "PullRequestEvent", "NameEvent", "x"]),
    actor=st.fixed_dictionaries(
        {"login": st.text(max_size=3)}, optional={"owner": st.just("o"), "id": st.integers(0, 9)}
    ),
    repo=st.fixed_dictionaries({"name": st.text(max_size=3)}, optional={"owner": st.just("o")}),
    payload=payloads,
    created_at=stamps,
)


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=4))
def test_the_fast_path_equals_the_line_by_line_path(found):
    item = RawItem(1, "", b"\n".join(map(line, found)))
    fast = ADAPTER.parse("h", [item])
    slow = ActivityBatch.of(ADAPTER.kind, ADAPTER._line_by_line("h", item))
    assert table(fast).equals(table(slow))
    assert fast.rejected == slow.rejected


def test_the_fast_path_is_the_usual_one(monkeypatch):
    monkeypatch.delattr(GHArchive, "_line_by_line")
    assert parse(line(new()) + b"\n" + line(new(id="2")) + b"\n").records == 2
