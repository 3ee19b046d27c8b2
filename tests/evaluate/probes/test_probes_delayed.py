"""The published tables of delayed issues."""

import datetime as dt

import numpy as np
import pytest

from jepa_ray.evaluate.probes import delayed
from jepa_ray.evaluate.probes.delayed_csv import FOLDER, SUFFIX, read_delayed
from jepa_ray.evaluate.probes.delayed_table import folder_of
from jepa_ray.evaluate.probes.problem import Skip
from jepa_ray.windows import INDEX
from tests.evaluate.probes.made import CONFIG

HEAD = "issuekey,delaydays,openeddate,type,workload,priority,RemainingDay"


def row(key, *, delay=0, opened="2010-01-05", priority="Major", remaining=7, workload=3):
    return f'{key},{delay},"{opened} 00:00:00",Bug,{workload},{priority},{remaining}'


def write(folder, name, *rows, head=HEAD):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_creation.csv").write_text("\n".join([head, *rows]) + "\n")


def many(folder, *, groups=4, count=60):
    for g in range(groups):
        rows = [
            row(
                f"P{i % 6}-{i}",
                delay=(i % 3 == 0) * (i + 1),
                opened=dt.date(2010, 1, 1) + dt.timedelta(days=10 * i),
                workload=i % 3,
            )
            for i in range(count)
        ]
        write(folder, f"group{g}", *rows)
    return read_delayed(str(folder))


def test_bad_rows_are_counted_and_left_out(tmp_path):
    write(
        tmp_path, "one", row("A-1"), row("A-2", opened="2010-13-05"), row("A-3", delay="many"),
        row("A-4", workload="nan"), row("A-1"), row("nokey"), "A-9,1", row("A-5", delay=4),
    )  # fmt: skip
    found = read_delayed(str(tmp_path))
    assert [(i.key, i.delay) for i in found.issues] == [("A-1", 0.0), ("A-5", 4.0)]
    assert found.left_out == {
        "bad_date": 1, "bad_number": 2, "repeated_key": 1, "bad_key": 1, "columns": 1,
    }  # fmt: skip
    assert found.columns == ("workload", "RemainingDay")


def test_a_file_of_another_form_is_one_bad_row(tmp_path):
    write(tmp_path, "one", row("A-1"))
    write(tmp_path, "two", "1,2", head="a,b")
    found = read_delayed(str(tmp_path))
    assert len(found.issues) == 1
    assert found.left_out == {"columns": 1}


def test_the_tables_are_found_in_the_folder_or_below_it(tmp_path, monkeypatch):
    monkeypatch.delenv("JEPA_RAY_REAL_DATA", raising=False)
    inner = tmp_path / "delayed_issues"
    write(inner, "one", row("A-1"))
    for given in (tmp_path, inner):
        assert folder_of(str(given), FOLDER, SUFFIX) == str(inner)
    assert folder_of(str(tmp_path / "nowhere"), FOLDER, SUFFIX) is None
    assert folder_of(None, FOLDER, SUFFIX) is None
    monkeypatch.setenv("JEPA_RAY_REAL_DATA", str(tmp_path.parent))
    assert folder_of(None, FOLDER, SUFFIX) is None


def test_a_window_is_what_the_jira_adapter_makes_of_the_day(tmp_path):
    write(tmp_path, "one", row("A-1", priority="Blocker"), row("A-2", remaining=0, priority="NULL"))
    x = delayed.windows_of(read_delayed(str(tmp_path)).issues)
    assert x.shape == (2, 96, 16)
    assert (x[:, :, INDEX["task"]] == 1).all()
    assert (x[0, :, INDEX["priority"]] == 1).all()
    assert (x[1, :, INDEX["priority"]] == 0.5).all()
    assert (x[:, 0, INDEX["deadline"]] == [0, 1]).all()
    assert not x[:, :, INDEX["completion"]].any()


def test_whole_groups_of_projects_are_left_out(tmp_path):
    table = many(tmp_path)
    made = delayed.delayed(delayed.TASKS["late_by_group"], table, CONFIG)
    assert not set(made.cluster[made.train]) & set(made.cluster[made.test])
    assert "left out" in made.split
    assert set(made.y) == {0, 1}


def test_no_outcome_of_later_than_the_cut_is_fitted_on(tmp_path):
    table = many(tmp_path)
    train, test, _ = delayed._by_time(table, CONFIG)
    asked = [table.issues[i].asked for i in test]
    for i in train:
        issue = table.issues[i]
        assert issue.due + dt.timedelta(days=issue.delay) < min(asked)


def test_the_label_is_in_no_feature(tmp_path):
    table = many(tmp_path)
    made = delayed.delayed(delayed.TASKS["days_late_by_time"], table, CONFIG)
    days = np.expm1(made.y)
    assert made.raw is not None
    assert not any(np.allclose(column, days) for column in made.raw.T)


def test_one_group_alone_cannot_be_left_out(tmp_path):
    with pytest.raises(Skip, match="one group"):
        delayed.delayed(delayed.TASKS["late_by_group"], many(tmp_path, groups=1), CONFIG)
