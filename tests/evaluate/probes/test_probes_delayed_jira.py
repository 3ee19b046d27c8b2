"""Our own Jira issues with due dates."""

import datetime as dt
import json

import numpy as np
import pytest

from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.evaluate.probes import delayed
from jepa_ray.evaluate.probes.delayed_jira import COLUMNS, read_deadlines
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
    table = read_deadlines(str(folder / "jira_deadlines"))
    return delayed.delayed(delayed.TASKS[name], table, CONFIG), table


def test_an_issue_is_asked_about_when_its_due_date_was_set(tmp_path):
    (found,) = read(tmp_path, {}).issues
    assert (found.asked, found.remaining, found.delay) == (dt.date(2014, 5, 3), 6, 3)
    assert (found.group, found.project, found.words) == ("A", "A:DS", ("bug", "blocker"))
    told = dict(zip(COLUMNS, found.numbers, strict=True))
    assert told.pop("age") == pytest.approx(1.1332, abs=1e-4)
    assert told == {
        "remaining": 6, "hour": 10, "weekday": 5, "chars": 500, "changes": 2, "comments": 1,
    }  # fmt: skip


def test_what_cannot_be_asked_about_is_counted(tmp_path):
    found = read(
        tmp_path, {}, {}, b"{", b'{"id": "A:9"}', {"id": "A:2", "resolved": None},
        {"id": "A:3", "resolved": "2014-05-03T09:00:00"}, {"id": "A:4", "dueDate": "2014-05-02"},
        {"id": "A:5", "key": "nokey"}, {"id": "A:6", "dueDate": "soon"},
        {"id": "A:7", "chars": 0.5},
        {"id": "A:8", "dueDate": "2014-05-03", "resolved": "2014-05-03T11:00:00"},
    )  # fmt: skip
    assert [issue.delay for issue in found.issues] == [3, 0]
    assert found.left_out == {
        "repeated_id": 1, "bad_line": 4, "open": 1, "due_date_after_resolution": 1,
        "over_when_set": 1, "bad_key": 1,
    }  # fmt: skip


def test_a_damaged_file_is_named_with_the_way_out(tmp_path):
    path = write(tmp_path, *({"id": f"A:{n}", "key": f"DS-{n}"} for n in range(100)))
    for damaged in (path.read_bytes()[:-40], b"plain", path.read_bytes()[:200] + b"\xff" * 99):
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
    over = [table.issues[i].due + dt.timedelta(days=table.issues[i].delay) for i in train]
    assert max(over) < cut
    assert len(over) > 300
    assert str(cut) in said


def test_the_label_is_in_no_feature(tmp_path):
    made, _ = problem(tmp_path, "jira_days_late_by_time")
    days = np.expm1(made.y)
    assert not any(np.allclose(column, days) for column in made.raw.T)
    assert not made.x[:, :, INDEX["completion"]].any()


def test_the_reasons_stand_in_the_split(tmp_path):
    table = read(
        tmp_path,
        *({"id": f"A:{n}", "key": f"P{n}-1"} for n in range(9)),
        {"id": "A:10", "resolved": None},
    )
    made = delayed.delayed(delayed.TASKS["jira_late_by_project"], table, CONFIG)
    assert made.split.endswith("Rows left out: open: 1.")


def test_one_project_alone_cannot_be_left_out_and_no_issue_is_no_task(tmp_path):
    with pytest.raises(Skip, match="of one project"):
        problem(tmp_path, "jira_late_by_project", projects=1)
    empty = read(tmp_path / "e", {"resolved": None})
    with pytest.raises(Skip, match=r"no issue can be asked about.*open: 1"):
        delayed.delayed(delayed.TASKS["jira_late_by_project"], empty, CONFIG)
