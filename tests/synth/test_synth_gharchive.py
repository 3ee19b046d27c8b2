import datetime as dt
import gzip
import json
from collections import Counter
from itertools import pairwise

import pytest

from jepa_ray.synth import synthesize

RECORDS = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("events")
    assert synthesize("gharchive", root, seed=7, records=RECORDS) == RECORDS
    return root / "gharchive"


@pytest.fixture(scope="module")
def hours(folder):
    return {
        dt.datetime.strptime(path.name + "Z", "%Y-%m-%d-%H.json.gz%z"): [
            json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
        for path in folder.iterdir()
    }


@pytest.fixture(scope="module")
def events(hours):
    return [event for hour in sorted(hours) for event in hours[hour]]


def test_the_files_are_consecutive_hours_and_hold_every_event(hours, events):
    assert len(events) == RECORDS
    assert max(hours) - min(hours) == dt.timedelta(hours=len(hours) - 1)


def test_every_event_lies_in_the_hour_of_its_file(hours):
    for hour, events in hours.items():
        assert {event["created_at"][:14] for event in events} <= {f"{hour:%Y-%m-%dT%H:}"}


def test_ids_rise_and_a_few_events_are_out_of_order(events):
    ids = [int(event["id"]) for event in events]
    assert ids == sorted(set(ids))
    times = [event["created_at"] for event in events]
    assert 0 < sum(late < early for early, late in pairwise(times)) < 40


def test_the_mix_and_the_line_length_are_like_those_of_the_real_hour(folder, events):
    kinds = Counter(event["type"] for event in events)
    assert 0.4 < kinds["PushEvent"] / RECORDS < 0.6
    assert len(kinds) > 11
    packed = [path.read_bytes() for path in folder.iterdir()]
    assert 1600 < sum(len(gzip.decompress(raw)) for raw in packed) / RECORDS < 3200


def test_the_organisation_is_often_missing(events):
    assert 0.15 < sum("org" in event for event in events) / RECORDS < 0.45


def test_a_push_lists_at_most_twenty_commits(events):
    pushes = [event["payload"] for event in events if event["type"] == "PushEvent"]
    assert max(len(push["commits"]) for push in pushes) <= 20
    assert all(push["size"] >= len(push["commits"]) > 0 for push in pushes)


def test_issues_and_pull_requests_have_title_and_body(events):
    pages = [event["payload"].get("issue") for event in events]
    pages += [event["payload"].get("pull_request") for event in events]
    assert all(page["title"] and page["body"] for page in pages if page)


def test_people_are_less_active_at_the_weekend(tmp_path):
    synthesize("gharchive", tmp_path, seed=7, records=8400)
    sizes = Counter()
    for path in (tmp_path / "gharchive").iterdir():
        sizes[path.name[8:10]] += len(gzip.decompress(path.read_bytes()).splitlines())
    assert sizes["07"] + sizes["08"] < sizes["03"]
