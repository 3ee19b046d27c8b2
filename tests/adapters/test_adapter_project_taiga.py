"""Taiga: the export dump and lists of the API."""

import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import mutated, mutations, odd

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.project_taiga import ProjectTaiga
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_TIME, record_windows

ADAPTER = ProjectTaiga(PrepareConfig())
BASE = {
    "ref": 7,
    "subject": "12345",
    "description": "67890",
    "created_date": "2016-08-04T14:01:24+0000",
    "owner": "jane@example.com",
    "status": "New",
}


def record(**fields):
    return {k: v for k, v in (BASE | fields).items() if v != "absent"}


def dump(**lists):
    return json.dumps({"slug": "my-project", "created_date": "2015-01-01T00:00:00+0000"} | lists)


def parse(text):
    return ADAPTER.parse("t.json", [RawItem(1, "", text.encode())])


def one(listed="tasks", extra=None, **fields):
    batch = parse(dump(**{listed: [record(**fields)]}, **(extra or {})))
    assert batch.rejected == []
    return batch


def value(batch, name):
    return round(float(batch.columns.values[0, INDEX[name] - 2]), 5)


def api(**fields):
    story = {"id": 3, "ref": 1, "project": 5, "backlog_order": 1, "finish_date": None, "tasks": []}
    return json.dumps(record(**(story | {"owner": 9} | fields)))


def test_a_task_stands_in_the_slot_of_its_creation():
    batch = one()
    assert record_windows(batch.columns).first.tolist() == [56]
    names = ("task", "project_activity", "priority", "text_length", "source_confidence")
    assert [value(batch, name) for name in names] == [1, 1, 0.5, 0.002, 0.85]
    assert batch.columns.offset_minutes.tolist() == [0]
    assert batch.columns.category == ["task"]


@pytest.mark.parametrize("stamp", ["2016-08-04T11:56:24+0000", "2020-07-02T11:56:21.529Z"])
def test_both_forms_of_a_stamp_are_read(stamp):
    assert record_windows(one(created_date=stamp).columns).first.tolist() == [47]


def test_a_dump_holds_stories_tasks_and_issues_of_one_project():
    lists = {name: [record(ref=i)] for i, name in enumerate(("user_stories", "tasks", "issues"))}
    columns = parse(dump(**lists)).columns
    assert columns.category == ["user_story", "task", "issue"]
    assert len(set(columns.source_id)) == 3
    assert len(set(columns.project.tolist())) == 1


@pytest.mark.parametrize(
    ("listed", "fields", "closed"),
    [
        ("user_stories", {"is_closed": True}, 1),
        ("user_stories", {"is_closed": False, "finish_date": "2016-08-05T00:00:00+0000"}, 0),
        ("user_stories", {"finish_date": "2016-08-05T00:00:00+0000"}, 1),
        ("tasks", {"finished_date": "2016-08-05T00:00:00+0000"}, 1),
        ("tasks", {"finished_date": None}, 0),
        ("issues", {}, 0),
        ("issues", {"is_closed": "yes"}, 0),
    ],
)
def test_a_record_is_complete_by_its_flag_or_its_finish_date(listed, fields, closed):
    assert value(one(listed, **fields), "completion") == closed


@pytest.mark.parametrize("closed", [True, False])
def test_a_status_of_the_dump_says_whether_it_is_closed(closed):
    statuses = {"issue_statuses": [5, {"name": "New", "is_closed": closed}]}
    batch = one("issues", extra=statuses, finished_date=None if closed else "2016-08-05T00:00:00Z")
    assert value(batch, "completion") == closed


def test_a_finish_before_the_creation_is_flagged_and_moves_nothing():
    batch = one(finished_date="2016-06-14T08:22:55+0000")
    assert record_windows(batch.columns).first.tolist() == [56]
    assert json.loads(batch.columns.metadata[0]) == {"finished_before_created": True}
    assert one(finished_date="2016-08-05T00:00:00+0000").columns.metadata == [None]


@pytest.mark.parametrize("due", [None, "absent", ""])
def test_a_record_may_have_no_due_date(due):
    assert one(due_date=due).columns.due_us.tolist() == [NO_TIME]


def test_a_due_date_of_the_same_day_marks_the_day():
    dense = record_windows(one(due_date="2016-08-04").columns).densify()[0]
    assert dense[:, INDEX["deadline"]].sum() == 96


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("High", 0.75), ("Low", 0.25), ("Normal", 0.5), (None, 0.5), (17, 0.5), ("hoch", 0.5)],
)
def test_an_issue_has_the_priority_of_its_name(priority, expected):
    assert value(one("issues", priority=priority), "priority") == expected


def test_an_api_record_is_known_by_its_fields():
    found = [
        parse(api(**fields)).columns.category
        for fields in ({}, {"us_order": 1}, {"severity": 2, "backlog_order": "absent"})
    ]
    assert found == [["user_story"], ["task"], ["issue"]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (api(epics_order=1), "epic"),
        (api(subject="absent", estimated_start="2016-01-01", user_stories=[]), "milestone"),
    ],
)
def test_what_groups_records_is_skipped(text, reason):
    assert parse(text).skipped == {reason: 1}


def test_an_api_list_is_read_record_by_record(tmp_path):
    (tmp_path / "project_apis/taiga").mkdir(parents=True)
    (tmp_path / "project_apis/taiga/l.json").write_text(f"[{api()}, 5, {api(id=4)}]")
    ((shard,),) = [ADAPTER.shards(tmp_path)]
    (block,) = ADAPTER.blocks(shard.files[0])
    batch = parse_block(ADAPTER, shard.files[0].label, block)
    assert (len(batch.columns), len(set(batch.columns.source_id))) == (2, 2)
    assert [(r.locator, r.slug) for r in batch.rejected] == [
        ("project_apis/taiga/l.json#2", "malformed_json")
    ]


def test_a_dump_beyond_the_limit_is_quarantined(tmp_path):
    (tmp_path / "project_apis/taiga").mkdir(parents=True)
    (tmp_path / "project_apis/taiga/dump.json").write_text(dump(tasks=[record()] * 20))
    small = ProjectTaiga(PrepareConfig(max_record_bytes=1024))
    (block,) = small.blocks(small.shards(tmp_path)[0].files[0])
    (rejected,) = parse_block(small, "x", block).rejected
    assert (rejected.slug, "1024" in rejected.detail) == ("record_too_large", True)


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"created_date": None}, "missing_field"),
        ({"created_date": "absent"}, "missing_field"),
        ({"ref": "absent"}, "missing_field"),
        ({"ref": "7"}, "missing_field"),
        ({"ref": True}, "missing_field"),
        ({"created_date": "yesterday"}, "bad_time"),
        ({"created_date": 5}, "bad_time"),
        ({"due_date": "soon"}, "bad_time"),
        ({"finished_date": []}, "bad_time"),
        ({"created_date": "0001-01-01T00:00:00+14:00"}, "implausible_date"),
        ({"due_date": "0214-01-01"}, "implausible_date"),
    ],
)
def test_a_bad_record_is_rejected_with_its_place(fields, slug):
    batch = parse(dump(issues=[record(ref=1), record(**fields), 5]))
    assert [(r.locator, r.slug) for r in batch.rejected] == [
        ("t.json#1:issues[2]", slug),
        ("t.json#1:issues[3]", "malformed_json"),
    ]
    assert (batch.records, len(batch.columns)) == (3, 1)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"x"', "null", "{}", api(id=None)])
def test_another_document_is_one_bad_record(text):
    assert [r.locator for r in parse(text).rejected] == ["t.json#1"]


def test_actors_are_hashed_whatever_they_are():
    assert one().columns.actor[0] == one("issues", ref=9).columns.actor[0] != 0
    assert parse(api()).columns.actor[0] != 0
    assert one(owner=None).columns.actor[0] == 0


@given(st.dictionaries(st.sampled_from([*BASE, "due_date", "priority", "is_closed"]), odd))
def test_no_values_crash_the_adapter(fields):
    lists = {"user_stories": [record(**fields)], "issues": [record(**fields)]}
    assert parse(dump(**lists)).records == 2
    assert parse(dump(tasks=[fields], slug=fields)).records == 1
    parse(api(**fields))


@given(st.binary(), mutations)
def test_no_bytes_crash_the_adapter(data, changes):
    for raw in (data, mutated(dump(tasks=[record()]).encode(), changes)):
        ADAPTER.parse("t", [RawItem(1, "", raw)])


@pytest.mark.realdata
def test_the_real_dump_has_29_stories_29_tasks_and_25_issues(real_data):
    shards = ADAPTER.shards(real_data)
    blocks = [(f.label, b) for s in shards for f in s.files for b in ADAPTER.blocks(f)]
    batches = [parse_block(ADAPTER, label, block) for label, block in blocks]
    assert sum((b.records for b in batches), 0) == 83
    assert [b.rejected for b in batches] == [[]]
    columns = batches[0].columns
    assert Counter(columns.category) == {"user_story": 29, "task": 29, "issue": 25}
    assert sum(m is not None for m in columns.metadata) == 11


@pytest.mark.realdata
def test_lists_of_real_server_versions_are_understood(real_data):
    found = Counter()
    for path in sorted((real_data / "project_formats").glob("*/*.json")):
        if re.match(r"(issues?|tasks?|user-?stor(y|ies))[-_](?!customattr)", path.name):
            data = json.loads(path.read_bytes())
            for item in data if isinstance(data, list) else [data]:
                batch = parse(json.dumps(item))
                found += Counter(batch.columns.category) + Counter(r.slug for r in batch.rejected)
    assert set(found) == {"user_story", "task", "issue"}
    assert min(found.values()) > 25
