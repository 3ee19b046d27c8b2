import json
from collections import Counter
from statistics import mean

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 2000
PARTS = ("morning", "afternoon", "evening", "night", "anytime")
TIMES = {f"{day}-{part}" for day in ("WD", "WE") for part in PARTS}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("tasks")
    assert synthesize("ms_latte", root, seed=7, records=RECORDS) == RECORDS
    return root


@pytest.fixture(scope="module")
def tasks(root):
    return json.loads((root / "ms_latte" / "MS-LaTTE.json").read_bytes())


def judgements(tasks, kind):
    return [judgement for task in tasks for judgement in task[kind]]


def test_the_adapter_makes_a_window_of_every_task_and_a_few_are_untimed(root, tasks):
    found = read_back("ms_latte", root)
    assert (found.records, found.windows) == (RECORDS, RECORDS)
    assert (found.skipped, found.quarantined) == ({}, [])
    unknown = [t for t in tasks if all(j["Known"] == "no" for j in t["TimeJudgements"])]
    assert Counter(found.column("category")) == {
        "untimed": len(unknown),
        "timed": RECORDS - len(unknown),
    }
    assert 0 < len(unknown) < 0.03 * RECORDS


def test_ids_are_strings_of_seven_digits_in_no_order(tasks):
    ids = [task["ID"] for task in tasks]
    assert len(set(ids)) == RECORDS
    assert {len(i) for i in ids} == {7}
    assert ids != sorted(ids)


def test_titles_are_as_short_as_the_real_ones(tasks):
    assert 11 < mean(len(task["TaskTitle"]) for task in tasks) < 17


def test_five_judge_the_time_and_three_or_four_the_place(tasks):
    assert {len(task["TimeJudgements"]) for task in tasks} == {5}
    places = Counter(len(task["LocJudgements"]) for task in tasks)
    assert set(places) == {3, 4}
    assert places[4] < 0.1 * RECORDS


@pytest.mark.parametrize(
    ("kind", "votes"), [("TimeJudgements", "Times"), ("LocJudgements", "Locations")]
)
def test_known_is_yes_or_no_and_only_what_is_known_has_votes(tasks, kind, votes):
    found = judgements(tasks, kind)
    assert {judgement["Known"] for judgement in found} == {"yes", "no"}
    assert all((judgement["Known"] == "yes") == bool(judgement[votes]) for judgement in found)


def test_votes_are_comma_joined_and_each_comes_once(tasks):
    votes = [j["Times"].split(",") for j in judgements(tasks, "TimeJudgements") if j["Times"]]
    assert {time for times in votes for time in times} == TIMES
    assert all(len(set(times)) == len(times) for times in votes)
    assert 1.4 < mean(map(len, votes)) < 2.2


def test_a_public_place_is_named_where_a_judge_says_public(tasks):
    for judgement in judgements(tasks, "LocJudgements"):
        assert ("public" in judgement["Locations"]) == bool(judgement["PublicLocations"])


def test_the_array_is_indented_by_three_like_the_real_one(root):
    raw = (root / "ms_latte" / "MS-LaTTE.json").read_bytes()
    assert raw.startswith(b'[\n   {\n      "ID": "')
