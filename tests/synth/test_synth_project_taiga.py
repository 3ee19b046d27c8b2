import datetime as dt
import json
import re
from collections import Counter

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 2000
LISTS = ("userstories", "tasks", "issues", "epics", "milestones")
DUMP_LISTS = ("user_stories", "tasks", "issues")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("projects")
    assert synthesize("project_taiga", root, seed=7, records=RECORDS) == RECORDS
    return root


@pytest.fixture(scope="module")
def dumps(root):
    folder = root / "project_apis" / "taiga"
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.dump.json"))]


@pytest.fixture(scope="module")
def lists(root):
    folder = root / "project_apis" / "taiga"
    return {name: json.loads((folder / f"{name}.json").read_bytes()) for name in LISTS}


@pytest.fixture(scope="module")
def dumped(dumps):
    return [record for dump in dumps for name in DUMP_LISTS for record in dump[name]]


@pytest.fixture(scope="module")
def listed(lists):
    return [record for name in LISTS[:3] for record in lists[name]]


def test_the_adapter_reads_all_and_skips_what_groups_records(root, lists, dumped, listed):
    found = read_back("project_taiga", root)
    assert found.records == RECORDS
    assert found.quarantined == []
    assert found.skipped == {"epic": len(lists["epics"]), "milestone": len(lists["milestones"])}
    assert 0 < found.skipped.total() < 0.05 * RECORDS
    assert found.windows == len(dumped) + len(listed) == RECORDS - found.skipped.total()
    assert len(set(found.column("source_id"))) == found.windows


def test_the_adapter_takes_each_kind_for_what_it_is(root, lists, dumps):
    stories, tasks, issues = (
        len(lists[name]) + sum(len(dump[other]) for dump in dumps)
        for name, other in zip(LISTS[:3], DUMP_LISTS, strict=True)
    )
    found = Counter(read_back("project_taiga", root).column("category"))
    assert found == {"user_story": stories, "task": tasks, "issue": issues}
    assert min(stories, tasks, issues) > 0.2 * RECORDS


def test_projects_are_dumps_or_in_the_lists(dumps, lists):
    assert len(dumps) == 3
    slugs = {record["project_extra_info"]["slug"] for name in LISTS for record in lists[name]}
    assert len(slugs) == 2
    assert slugs.isdisjoint(dump["slug"] for dump in dumps)


def test_the_records_of_a_project_share_one_sequence_of_numbers(dumps):
    for dump in dumps:
        refs = sorted(record["ref"] for name in DUMP_LISTS for record in dump[name])
        assert refs == list(range(1, len(refs) + 1))


def test_stamps_have_the_form_of_their_server(dumped, listed):
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\+0000", r["created_date"]) for r in dumped)
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", r["created_date"]) for r in listed)


def test_stories_finish_by_another_field_than_the_others(dumps, lists):
    stories = [*lists["userstories"], *(r for d in dumps for r in d["user_stories"])]
    others = [*lists["tasks"], *lists["issues"], *(r for d in dumps for r in d["tasks"])]
    assert all("finish_date" in r and "finished_date" not in r for r in stories)
    assert all("finished_date" in r and "finish_date" not in r for r in others)


def test_a_few_were_finished_before_they_were_created(dumped, listed):
    pairs = [
        (made, done)
        for record in [*dumped, *listed]
        for made, done in [(record["created_date"], finish(record))]
        if done
    ]
    early = [1 for made, done in pairs if moment(done) < moment(made)]
    assert 0.4 < len(pairs) / RECORDS < 0.65
    assert 0.02 < len(early) / len(pairs) < 0.09


def test_due_dates_are_null_or_absent_and_one_in_eight_is_set(dumps, listed):
    known = [any("due_date" in r for name in DUMP_LISTS for r in d[name]) for d in dumps]
    assert set(known) == {True, False}
    due = [record["due_date"] for record in listed]
    assert 0.07 < sum(each is not None for each in due) / len(due) < 0.17


def test_a_record_is_closed_where_its_status_says_so(dumps, lists):
    for dump in dumps:
        closed = {status["name"]: status["is_closed"] for status in dump["issue_statuses"]}
        assert all(closed[r["status"]] == bool(r["finished_date"]) for r in dump["issues"])
    for record in lists["userstories"]:
        assert record["is_closed"] == record["status_extra_info"]["is_closed"]


def test_a_list_without_elements_is_an_empty_array(tmp_path):
    synthesize("project_taiga", tmp_path, seed=1, records=1)
    assert json.loads((tmp_path / "project_apis" / "taiga" / "epics.json").read_bytes()) == []


def finish(record):
    return record.get("finish_date") or record.get("finished_date")


def moment(stamp):
    return dt.datetime.fromisoformat(stamp)
