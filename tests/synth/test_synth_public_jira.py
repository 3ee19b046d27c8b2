import datetime as dt
import gzip
import json

import pytest

from jepa_ray.synth import synthesize

RECORDS = 3000


@pytest.fixture(scope="module")
def issues(tmp_path_factory):
    root = tmp_path_factory.mktemp("issues")
    assert synthesize("public_jira", root, seed=7, records=RECORDS) == RECORDS
    raw = (root / "public_jira" / "public_jira.normalized.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(raw).splitlines()]


def test_every_line_is_an_issue_with_the_fields_of_the_normalised_form(issues):
    assert len(issues) == RECORDS
    fields = ["id", "key", "created", "dueDate", "summary", "description"]
    assert all(list(issue) == fields for issue in issues)


def test_ids_and_keys_are_unique_but_numbers_clash_across_jiras(issues):
    assert len({issue["id"] for issue in issues}) == RECORDS
    assert len({issue["key"] for issue in issues}) == RECORDS
    assert len({issue["id"].partition(":")[2] for issue in issues}) < RECORDS


def test_one_issue_in_eight_is_due_and_some_on_the_day_of_creation(issues):
    due = [issue for issue in issues if issue["dueDate"]]
    assert 0.09 < len(due) / RECORDS < 0.15
    ahead = [dt.date.fromisoformat(i["dueDate"]) - made(i).date() for i in due]
    assert min(ahead) == dt.timedelta(0)
    assert 0.03 < ahead.count(dt.timedelta(0)) / len(due) < 0.2


def test_some_descriptions_are_null(issues):
    assert 0.03 < sum(issue["description"] is None for issue in issues) / RECORDS < 0.12


def test_issues_are_created_in_working_hours_more_than_by_chance(issues):
    inside = sum(made(i).weekday() < 5 and 7 <= made(i).hour < 20 for i in issues)
    assert inside / RECORDS > 1.3 * (5 * 13 / 168)


def made(issue):
    return dt.datetime.fromisoformat(issue["created"])
