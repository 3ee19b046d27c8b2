"""An issue wound back to the moment at which it first had a due date."""

import json

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import NotReadableError
from jepa_ray.adapters.jira_deadline import deadline_line
from jepa_ray.adapters.jira_document import never_due
from jepa_ray.adapters.jira_forms import deadline, reference
from jepa_ray.readers import RawItem
from jepa_ray.windows import Skipped
from tests.adapters.odd_values import odd

FIELDS = {
    "created": "2014-05-02T06:48:12.270-0500",
    "updated": "2014-05-21T10:00:00.000+0000",
    "duedate": "2014-05-09",
    "resolutiondate": "2014-05-20T10:00:00.000+0000",
    "summary": "12345",
    "description": "67890",
    "issuetype": {"name": "Bug"},
    "priority": {"name": "Major"},
}


def change(when, field, before, after, **more):
    item = {"field": field, "fromString": before, "toString": after} | more
    return {"created": f"2014-05-{when}:00:00.000+0000", "items": [item]}


def due(when, before, after):
    """As Jira says it: a value for programs, and one for people."""
    said = [day and f"{day} 00:00:00.0" for day in (before, after)]
    return change(when, "duedate", *said, **{"from": before, "to": after})


def issue(*histories, **fields):
    changelog = {"histories": list(histories)}
    return {"id": "7", "key": "DS-1", "fields": FIELDS | fields, "changelog": changelog}


def line(*histories, **fields):
    return deadline_line("Duraspace:7", issue(*histories, **fields))


def test_an_issue_that_came_with_its_due_date_is_as_it_was_created():
    assert line() == {
        "id": "Duraspace:7", "key": "DS-1", "created": "2014-05-02T06:48:12",
        "dueDate": "2014-05-09", "dueSet": "2014-05-02T06:48:12", "resolved": "2014-05-20T10:00:00",
        "updated": "2014-05-21T10:00:00", "type": "Bug", "priority": "Major", "chars": 10,
        "changes": 0,
    }  # fmt: skip


def test_what_changed_later_is_as_it_was_before():
    found = line(
        change("06T10", "summary", "123", "12345"), change("03T10", "summary", "1", "123"),
        change("03T11", "description", None, "67890"), change("03T12", "issuetype", "Task", "Bug"),
        change("04T10", "priority", "Minor", "Major"), due("05T10", "2014-05-07", "2014-05-09"),
        change("06T11", "status", "Open", "Closed"),
    )  # fmt: skip
    assert (found["chars"], found["type"], found["priority"]) == (1, "Task", "Minor")
    assert (found["dueDate"], found["dueSet"]) == ("2014-05-07", "2014-05-02T06:48:12")
    assert found["changes"] == 0


def test_a_due_date_that_came_later_is_known_from_then_on():
    found = line(
        change("03T10", "summary", "1", "12345"), due("04T10", None, "2014-05-06"),
        due("05T10", "2014-05-06", "2014-05-09"), change("05T11", "priority", "Minor", "Major"),
    )  # fmt: skip
    assert (found["dueDate"], found["dueSet"]) == ("2014-05-06", "2014-05-04T10:00:00")
    assert (found["chars"], found["priority"]) == (10, "Minor")
    assert found["changes"] == 2


def test_a_due_date_that_was_taken_away_counts():
    assert line(due("04T10", "2014-05-06", None), duedate=None)["dueDate"] == "2014-05-06"
    later = (due("04T10", None, "2014-05-06"), due("05T10", "2014-05-06", None))
    assert line(*later, duedate=None)["dueDate"] == "2014-05-06"


def test_the_text_for_people_does_where_the_value_is_missing():
    """As old histories have it."""
    old = change("04T10", "duedate", None, "2014-05-06 00:00:00.0")
    assert line(old)["dueDate"] == "2014-05-06"


def test_an_open_issue_has_no_resolution_and_a_document_is_measured():
    text = {"type": "doc", "content": [{"type": "text", "text": "six me"}]}
    found = line(resolutiondate=None, description=text, priority=None)
    assert (found["resolved"], found["chars"], found["priority"]) == (None, 11, None)


def test_a_type_goes_by_its_id_for_names_are_renamed():
    assert line(issuetype={"id": "3", "name": "Bug"})["type"] == "3"
    renamed = change("04T10", "Issue Type", "Old", "Bug", **{"from": "2", "to": "3"})
    assert line(renamed, issuetype={"id": "3", "name": "Bug"})["type"] == "2"


def test_the_first_resolution_from_then_on_counts():
    again = (
        change("06T10", "resolution", None, "Done"), change("07T10", "resolution", "Done", None),
        change("20T10", "resolution", None, "Done"),
    )  # fmt: skip
    assert line(*again)["resolved"] == "2014-05-06T10:00:00"
    assert line(*again, resolutiondate=None)["resolved"] == "2014-05-06T10:00:00"
    late = due("06T12", None, "2014-05-30")
    assert line(*again, late)["resolved"] == line(*again, late)["dueSet"] == "2014-05-06T12:00:00"
    reopened = due("08T12", None, "2014-05-30")
    assert line(*again, reopened)["resolved"] == "2014-05-20T10:00:00"
    after = due("21T12", None, "2014-05-30")
    assert line(after)["resolved"] == line(after)["dueSet"]


def test_the_issue_was_last_heard_of_at_its_last_stamp():
    assert line(due("28T10", "2014-05-09", None))["updated"] == "2014-05-28T10:00:00"
    assert line(updated=None, resolutiondate=None)["updated"] == "2014-05-02T06:48:12"


def test_changes_of_one_second_go_by_their_ids():
    changes = [due("04T10", "2014-05-06", "2014-05-07"), due("04T10", None, "2014-05-06")]
    numbered = [each | {"id": str(10 - n)} for n, each in enumerate(changes)]
    found = line(*numbered)
    assert (found["dueDate"], found["dueSet"]) == ("2014-05-06", "2014-05-04T10:00:00")


@pytest.mark.parametrize(
    ("changelog", "reason"),
    [
        ({"total": 2, "histories": []}, "cut_changelog"),
        ({"startAt": 1, "histories": []}, "cut_changelog"),
        ({"histories": None}, "no_changelog"),
        ({"values": []}, "no_changelog"),
        (None, "no_changelog"),
    ],
)
def test_without_the_whole_changelog_nothing_is_said(changelog, reason):
    assert deadline_line("A:1", issue() | {"changelog": changelog}) == Skipped(reason)


def test_an_issue_that_never_had_a_due_date_is_skipped():
    assert line(duedate=None) == Skipped("never_due")


def test_an_answer_without_the_field_of_the_resolution_does_not_look_open():
    fields = {name: value for name, value in FIELDS.items() if name != "resolutiondate"}
    answer = RawItem(1, "A-1.json", json.dumps(issue() | {"fields": fields}).encode())
    with pytest.raises(NotReadableError, match="no resolutiondate, not even null"):
        deadline(answer, "A")


@pytest.mark.parametrize(
    ("found", "slug"),
    [
        (issue(created=None), "missing_field"),
        (issue(duedate="soon"), "bad_time"),
        (issue(due("04T10", None, "soon")), "bad_time"),
        (issue(resolutiondate="0202-01-01"), "implausible_date"),
        (issue({"created": "2014-05-04"}, {"items": []}), "missing_field"),
        (issue({"created": "2014-05-04", "items": ["x"]}), "bad_field"),
    ],
)
def test_an_issue_that_cannot_be_read_is_named(found, slug):
    with pytest.raises(NotReadableError) as caught:
        deadline_line("A:1", found)
    assert caught.value.slug == slug


def test_an_issue_without_an_id_is_named():
    with pytest.raises(NotReadableError, match="needs an id"):
        deadline_line(None, issue())


@given(st.dictionaries(st.sampled_from([*FIELDS]), odd), odd, odd, odd)
def test_odd_values_are_named_and_nothing_else_is_raised(fields, before, after, at):
    odd_change = {"created": at, "items": [{"field": "duedate", "from": before, "to": after}]}
    for histories in ([odd_change], [due("04T10", None, "2014-05-06"), odd_change], []):
        item = RawItem(1, "x_CL.json", json.dumps(issue(*histories, **fields)).encode())
        try:
            found = deadline(item, "Duraspace")
        except NotReadableError:
            continue
        assert isinstance(found, Skipped) or json.dumps(found)


ISSUES = [
    issue(), issue(due("04T10", None, "2014-05-06")), issue(duedate=None),
    issue(due("04T10", "2014-05-06", None), duedate=None),
    issue(change("04T10", "summary", "duedate", "x"), duedate=None),
    issue(change("04T10", "summary", "y", "x"), duedate=None),
    issue(resolutiondate=None, updated=None, priority=None, issuetype=None),
    issue(change("04T10", "Due Date", "2014-05-06", None), duedate=None),
]  # fmt: skip


@pytest.mark.parametrize("found", ISSUES)
def test_a_document_of_the_dump_and_an_answer_of_the_api_say_the_same(found):
    answer = RawItem(1, "Duraspace/DS-1_CL.json", json.dumps(found).encode())
    document = RawItem(1, "JiraReposAnon.Duraspace", bson.encode(found))
    for form in (deadline, reference):
        assert form(answer, "Duraspace") == form(document, None)
    if never_due(document.data):
        assert deadline(answer, "Duraspace") == Skipped("never_due")


def test_the_quick_look_finds_what_never_was_due():
    assert [never_due(bson.encode(found)) for found in ISSUES] == [
        False, False, True, False, False, True, False, False,
    ]  # fmt: skip


def test_what_is_no_issue_is_skipped():
    assert deadline(RawItem(1, "db.A", bson.encode({"x": 1})), None) == Skipped("not_an_issue")
    answer = RawItem(1, "A/A-1.json", b'{"comments": []}')
    assert deadline(answer, "A") == reference(answer, "A") == Skipped("comments_of_an_issue")
