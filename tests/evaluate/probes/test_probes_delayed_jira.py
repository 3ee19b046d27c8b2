"""Our own Jira issues with due dates."""

import datetime as dt
import json
import math

import numpy as np
import pytest

from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.evaluate.probes import delayed
from jepa_ray.evaluate.probes.delayed_jira import COLUMNS, followed, read_deadlines
from jepa_ray.evaluate.probes.problem import Skip
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, SLOTS, record_windows
from tests.evaluate.probes.made import CONFIG
from tests.evaluate.probes.made_deadlines import LINE, write, write_many


def read(folder, *rows):
    write(folder, *rows)
    return read_deadlines(str(folder))


def problem(folder, name, **more):
    write_many(folder, **more)
    table = followed(read_deadlines(str(folder / "jira_deadlines")), 90 if "days" in name else 1)
    return delayed.delayed(delayed.TASKS[name], table, CONFIG), table


def test_an_issue_is_asked_about_when_its_due_date_was_set(tmp_path):
    (found,) = read(tmp_path, {}).issues
    assert (found.asked, found.remaining, found.delay) == (dt.date(2014, 5, 3), 6, 3)
    assert (found.group, found.project, found.words) == ("A", "A:DS", ("bug", "blocker"))
    told = dict(zip(COLUMNS, found.numbers, strict=True))
    assert told.pop("age") == pytest.approx(1.1332, abs=1e-4)
    assert told == {"remaining": 6, "hour": 10, "weekday": 5, "chars": 500, "changes": 2}


def test_what_cannot_be_asked_about_is_counted(tmp_path):
    found = read(
        tmp_path, {}, {}, b"{", b'{"id": "A:9"}', {"id": "A:2", "created": "0001-01-01T00:00:00"},
        {"id": "A:3", "resolved": "2014-05-03T09:00:00"}, {"id": "A:4", "dueDate": "2014-05-02"},
        {"id": "A:5", "key": "nokey"}, {"id": "A:6", "dueDate": "soon"},
        {"id": "A:7", "chars": 0.5},
        {"id": "A:8", "dueDate": "2014-05-03", "resolved": "2014-05-03T11:00:00"},
        {"id": "A:11", "created": "2014-05-02T06:48:12Z"}, {"id": "A:12", "resolved": None},
    )  # fmt: skip
    assert [issue.delay for issue in found.issues] == [3, 0, math.inf]
    assert found.left_out == {
        "repeated_id": 1, "bad_line": 6, "due_date_after_resolution": 1,
        "over_when_set": 1, "bad_key": 1,
    }  # fmt: skip


def test_of_an_issue_that_is_there_twice_the_line_that_knows_more_counts(tmp_path):
    rows = (
        {"resolved": None, "updated": "2014-05-08T10:00:00"},
        {},
        {"updated": "2014-05-11T10:00:00"},
    )
    for order in (rows, rows[::-1]):
        found = read(tmp_path, *order)
        assert [(issue.delay, issue.known) for issue in found.issues] == [
            (3, dt.date(2014, 5, 12).toordinal())
        ]


def test_issues_are_followed_as_long_whatever_came_of_them(tmp_path):
    """The data of Jira A ends on 12 May, that of B on 10 May."""
    found = read(
        tmp_path, {}, {"id": "A:2", "resolved": None}, {"id": "A:3", "dueDate": "2014-05-12"},
        {"id": "A:4", "dueDate": "2014-05-12", "resolved": None},
        {"id": "A:5", "dueDate": "2014-05-11"},
        {"id": "B:1", "resolved": None, "updated": "2014-05-10T01:00:00", "dueDate": "2014-05-10"},
        {"id": "B:2", "resolved": None, "updated": "2014-05-09T01:00:00", "dueDate": "2014-05-09"},
    )  # fmt: skip
    for days, expected in ((1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 3]), (4, [])):
        table = followed(found, days)
        assert [issue.delay for issue in table.issues] == expected
        assert all(issue.known == issue.due.toordinal() + days for issue in table.issues)
        assert table.left_out["not_followed"] == 7 - len(expected)
        assert len({issue.key for issue in table.issues}) <= 1


def test_a_damaged_file_is_named_with_the_way_out(tmp_path):
    path = write(tmp_path, *({"id": f"A:{n}", "key": f"DS-{n}"} for n in range(100)))
    for damaged in (path.read_bytes()[:-40], b"plain", b"", path.read_bytes()[:200] + b"\xff" * 99):
        path.write_bytes(damaged)
        with pytest.raises(SourceError, match=r"a\.deadlines\.jsonl\.gz is damaged.*--deadlines"):
            read_deadlines(str(tmp_path))


def test_the_window_is_that_of_the_line_in_prepare(tmp_path):
    x = delayed.windows_of(read(tmp_path, {}).issues)
    as_prepared = {"summary": "x" * 500, "description": None} | LINE
    batch = PublicJira(PrepareConfig()).parse(
        "l", [RawItem(1, "", json.dumps(as_prepared).encode())]
    )
    np.testing.assert_array_equal(x, record_windows(batch.columns).densify())
    assert x[0, :, INDEX["text_length"]].max() == pytest.approx(0.1)
    assert 0 < (x[0, :, INDEX["task"]] > 0).sum() < SLOTS


def test_whole_projects_are_left_out_and_none_is_named(tmp_path):
    made, _ = problem(tmp_path, "jira_late_by_project")
    assert not set(made.cluster[made.train]) & set(made.cluster[made.test])
    assert made.groups == 30
    assert "30 of 60 projects" in made.split
    assert "P1" not in made.split


def test_by_time_no_outcome_of_later_than_the_cut_is_fitted_on(tmp_path):
    _, table = problem(tmp_path, "jira_late_by_time")
    train, test, said = delayed._by_time(table, CONFIG)
    cut = min(table.issues[i].asked for i in test)
    over = [table.issues[i].due + dt.timedelta(days=1) for i in train]
    assert max(over) < cut
    assert len(over) > 300
    assert str(cut) in said


def test_the_label_is_in_no_feature(tmp_path):
    made, _ = problem(tmp_path, "jira_days_late_by_time")
    days = np.expm1(made.y)
    assert days.max() <= 90
    assert not any(np.allclose(column, days) for column in made.raw.T)
    assert not made.x[:, :, INDEX["completion"]].any()


def test_the_reasons_stand_in_the_split(tmp_path):
    table = read(
        tmp_path,
        *({"id": f"A:{n}", "key": f"P{n}-1"} for n in range(9)),
        b"{",
    )
    made = delayed.delayed(delayed.TASKS["jira_late_by_project"], table, CONFIG)
    assert made.split.endswith("Rows left out: bad_line: 1.")


def test_one_project_alone_cannot_be_left_out_and_no_issue_is_no_task(tmp_path):
    with pytest.raises(Skip, match="of one project"):
        problem(tmp_path, "jira_late_by_project", projects=1)
    empty = read(tmp_path / "e", b"{")
    with pytest.raises(Skip, match=r"no issue can be asked about.*bad_line: 1$"):
        delayed.delayed(delayed.TASKS["jira_late_by_project"], empty, CONFIG)
