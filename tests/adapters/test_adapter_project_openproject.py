"""OpenProject: HAL pages, single bodies, webhooks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import mutated, mutations, odd

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.project_openproject import ProjectOpenproject
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_TIME, record_windows

ADAPTER = ProjectOpenproject(PrepareConfig())
BASE = {
    "_type": "WorkPackage",
    "id": 128,
    "subject": "12345",
    "description": {"format": "markdown", "raw": "67890", "html": "<p>67890</p>"},
    "createdAt": "2020-08-26T14:01:44Z",
    "startDate": None,
    "dueDate": None,
    "estimatedTime": None,
    "percentageDone": 0,
    "_links": {
        "project": {"href": "/api/v3/projects/14", "title": "my project"},
        "author": {"href": "/api/v3/users/2", "title": "Jane Doe"},
        "assignee": {"href": None},
        "priority": {"href": "/api/v3/priorities/8", "title": "Normal"},
    },
}


def body(**fields):
    return {k: v for k, v in (BASE | fields).items() if v != "absent"}


def page(*elements):
    return {
        "_type": "WorkPackageCollection",
        "total": 9,
        "count": len(elements),
        "pageSize": 1000,
        "offset": 1,
        "_embedded": {"elements": list(elements)},
        "_links": {},
    }


def parse(document):
    return ADAPTER.parse("p.json", [RawItem(1, "", json.dumps(document).encode())])


def one(**fields):
    batch = parse(body(**fields))
    assert batch.rejected == []
    return batch


def value(batch, name):
    return round(float(batch.columns.values[0, INDEX[name] - 2]), 5)


def test_a_work_package_stands_in_the_slot_of_its_creation():
    batch = one()
    assert record_windows(batch.columns).first.tolist() == [56]
    names = ("task", "project_activity", "priority", "text_length", "source_confidence")
    assert [value(batch, name) for name in names] == [1, 1, 0.5, 0.002, 0.85]
    assert batch.columns.offset_minutes.tolist() == [0]


@pytest.mark.parametrize("stamp", ["2020-08-26T14:01:44.123Z", "2020-08-26T14:01:44Z"])
def test_a_stamp_may_have_milliseconds(stamp):
    assert record_windows(one(createdAt=stamp).columns).first.tolist() == [56]


def test_a_page_a_webhook_and_an_array_hold_the_same_windows():
    single = one().columns.source_id
    assert parse(page(body(), body(id=129))).columns.source_id[:1] == single
    webhook = parse({"action": "work_package:created", "work_package": body()})
    assert webhook.columns.source_id == single
    assert parse(page()).records == 0


@pytest.mark.parametrize("due", [None, "absent"])
def test_a_due_date_is_often_null(due):
    assert one(dueDate=due).columns.due_us.tolist() == [NO_TIME]


@pytest.mark.parametrize("field", ["dueDate", "date"])
def test_a_due_date_and_the_date_of_a_milestone_mark_the_day(field):
    batch = one(**{"dueDate": "absent", field: "2020-08-26"})
    assert record_windows(batch.columns).densify()[0][:, INDEX["deadline"]].sum() == 96
    assert batch.columns.category == ["milestone" if field == "date" else "work_package"]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        (None, 0), ("absent", 0), ("PT2H", 120), ("P1DT30M", 1470), ("PT0S", 0), ("P1W", 9999),
        ("PT1.5H", 90), ("PT90S", 1.5),
    ],
)  # fmt: skip
def test_an_estimate_is_the_duration_of_an_instant(text, minutes):
    batch = one(estimatedTime=text)
    assert value(batch, "duration") == round(min(minutes / 1440, 1), 5)
    assert record_windows(batch.columns).last.tolist() == [56]


def test_the_duration_in_days_counts_where_nobody_estimated():
    assert value(one(duration="PT36M"), "duration") == 0.025
    assert value(one(duration="P5D", estimatedTime="PT36M"), "duration") == 0.025


@pytest.mark.parametrize(
    ("done", "expected"), [(None, 0), ("absent", 0), (30, 0.3), (100, 1), (300, 1), (True, 0)]
)
def test_the_percentage_done_may_be_null(done, expected):
    assert value(one(percentageDone=done), "completion") == expected


def test_a_closed_status_is_complete_whatever_its_name():
    status = {"status": {"name": "Закрыто", "isClosed": True}}
    assert value(one(_embedded=status), "completion") == 1


@pytest.mark.parametrize(
    ("title", "expected"),
    [("High", 0.75), ("Immediate", 1), ("Low", 0.25), ("Нормальный", 0.5), (None, 0.5)],
)
def test_a_priority_is_that_of_its_name_or_normal(title, expected):
    links = BASE["_links"] | {"priority": {"href": "/api/v3/priorities/8", "title": title}}
    assert value(one(_links=links), "priority") == expected
    default = {"priority": {"name": title, "isDefault": True}}
    assert value(one(_embedded=default, _links=links), "priority") == 0.5


def test_a_link_may_be_null():
    links = {"project": {"href": None}, "author": {"href": None, "title": None}}
    columns = one(_links=links).columns
    assert (columns.actor.tolist(), columns.project.tolist()) == ([0], [0])
    assert one().columns.actor[0] != 0


def test_a_description_may_be_null():
    assert value(one(description={"raw": None, "html": ""}), "text_length") == 0.001
    assert value(one(description=None), "text_length") == 0.001


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"id": "absent"}, "missing_field"),
        ({"id": "128"}, "missing_field"),
        ({"_type": "Error"}, "missing_field"),
        ({"createdAt": None}, "missing_field"),
        ({"createdAt": "now"}, "bad_time"),
        ({"dueDate": 20200826}, "bad_time"),
        ({"date": "soon"}, "bad_time"),
        ({"createdAt": "1801-01-01T00:00:00Z"}, "implausible_date"),
        ({"estimatedTime": "2 hours"}, "bad_duration"),
        ({"estimatedTime": "P"}, "bad_duration"),
        ({"estimatedTime": "PT" + "9" * 400 + "H"}, "bad_duration"),
        ({"duration": 5}, "bad_duration"),
    ],
)
def test_a_bad_element_is_rejected_with_its_place(fields, slug):
    batch = parse(page(body(), body(**fields)))
    assert [(r.locator, r.slug) for r in batch.rejected] == [("p.json#1:elements[2]", slug)]
    assert len(batch.columns) == 1


@pytest.mark.parametrize("document", [5, None, [], {}, {"work_package": 5}, page(5), {"a": 1}])
def test_another_document_is_one_bad_record(document):
    assert [r.locator.partition(":")[0] for r in parse(document).rejected] == ["p.json#1"]


@given(st.dictionaries(st.sampled_from([*BASE, "_embedded", "date", "duration"]), odd))
def test_no_values_crash_the_adapter(fields):
    assert parse(page(body(**fields), fields)).records == 2
    links = BASE["_links"] | fields
    parse(body(_links=links, _embedded=fields))


@given(st.binary(), mutations)
def test_no_bytes_crash_the_adapter(data, changes):
    for raw in (data, mutated(json.dumps(page(body())).encode(), changes)):
        ADAPTER.parse("t", [RawItem(1, "", raw)])


@pytest.mark.realdata
def test_the_real_bodies_and_the_webhook_are_5_records(real_data):
    found = [
        parse_block(ADAPTER, file.label, block)
        for shard in ADAPTER.shards(real_data)
        for file in shard.files
        for block in ADAPTER.blocks(file)
    ]
    assert [len(b.columns) for b in found] == [1] * 5
    assert len({b.columns.source_id[0] for b in found}) == 5
