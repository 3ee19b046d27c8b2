"""`actor_day` windowing of the real samples: the counts, and that windows carry only hashes."""

import json
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.ray, pytest.mark.realdata]
ID = re.compile(r"(project-)?[0-9a-f]{16}-\d{4}-\d\d-\d\d")
METADATA = re.compile(r'\{"activities":\d+\}')


@pytest.fixture(scope="module")
def found(real_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("days")
    done = subprocess.run(
        [sys.executable, "-m", "jepa_ray", "prepare", "--dataset", "all", "--data-root", real_data,
         "--windowing", "actor_day", "--processed-dir", out, "--reports-dir", out / "r",
         "--run-id", "real", "--json"],
        capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    return out, json.loads(done.stdout)["datasets"]


def test_the_real_samples_give_the_known_counts(found):
    assert {
        name.removesuffix("_actor_day"): (m["records"], m["activities"], m["windows"])
        for name, m in found[1].items()
        if m["status"] == "completed"
    } == {
        "calendar_ics_thunderbird": (4_881, 4_881, 4_204),
        "enron_cornell": (10_883, 0, 0),
        "enron_maildir": (35_464, 35_428, 12_587),
        "enron_snap": (367_662, 0, 0),
        "gharchive": (11_351, 11_351, 5_250),
        "ms_latte": (60, 0, 0),
        "project_openproject": (5, 5, 4),
        "project_taiga": (83, 83, 11),
        "public_jira": (14_254, 70_151, 28_163),
        "smart_todo_coded": (24_070, 0, 0),
    }


def test_what_gives_no_window_is_named(found):
    assert {
        name.removesuffix("_actor_day"): m["skipped"] | m["quarantined"]
        for name, m in found[1].items()
        if m["skipped"] or m["quarantined"]
    } == {
        "enron_cornell": {"no_actor": 10_883},
        "enron_maildir": {"implausible_date": 36},
        "enron_snap": {"no_date": 367_662},
        "ms_latte": {"no_date": 60},
        "public_jira": {"comments_of_an_issue": 3_036, "not_an_issue": 44},
        "smart_todo_coded": {"no_date": 24_070},
    }


def test_each_issue_of_the_api_is_activity_of_many(found):
    m = found[1]["public_jira_actor_day"]
    assert m["activities"] - m["expanded"] == 3_036 + 8_138  # an issue each


def test_a_window_carries_hashes_dates_and_counts_only(found):
    paths = [p for p in found[0].rglob("*.parquet") if "blocked" not in p.parts[-3]]
    table = pa.concat_tables(pq.read_table(p).drop_columns(["runs"]) for p in paths)
    assert all(map(ID.fullmatch, table["source_id"].to_pylist()))
    assert all(map(METADATA.fullmatch, table["metadata"].to_pylist()))
    assert table["category"].null_count == len(table)
    assert len(set(table["window_uid"].to_pylist())) == len(table)
