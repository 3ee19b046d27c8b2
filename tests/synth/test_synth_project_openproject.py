import json
import re
from collections import Counter

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 1600
BODIES = 20


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("packages")
    assert synthesize("project_openproject", root, seed=7, records=RECORDS) == RECORDS
    return root


@pytest.fixture(scope="module")
def documents(root):
    folder = root / "project_apis" / "openproject"
    return {path.name: json.loads(path.read_bytes()) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def pages(documents):
    return [documents[name] for name in documents if name.startswith("work_packages-")]


@pytest.fixture(scope="module")
def bodies(documents):
    found = [documents[name] for name in documents if name.startswith("body-")]
    return [body.get("work_package", body) for body in found]


@pytest.fixture(scope="module")
def packages(pages, bodies):
    return bodies + [each for page in pages for each in page["_embedded"]["elements"]]


def share(packages, wanted):
    return sum(map(bool, map(wanted, packages))) / len(packages)


def test_the_adapter_makes_a_window_of_every_work_package(root, packages):
    found = read_back("project_openproject", root)
    assert (found.records, found.windows) == (RECORDS, RECORDS)
    assert (found.skipped, found.quarantined) == ({}, [])
    assert len(set(found.column("source_id"))) == RECORDS
    milestones = sum("date" in package for package in packages)
    assert Counter(found.column("category"))["milestone"] == milestones > 0


def test_pages_count_what_they_hold_and_lead_to_the_next(pages):
    assert [page["count"] for page in pages] == [500, 500, 500, RECORDS - BODIES - 1500]
    assert {page["total"] for page in pages} == {RECORDS - BODIES}
    assert [page["offset"] for page in pages] == [1, 2, 3, 4]
    assert ["nextByOffset" in page["_links"] for page in pages] == [True, True, True, False]
    assert ["previousByOffset" in page["_links"] for page in pages] == [False, True, True, True]
    assert all(page["count"] == len(page["_embedded"]["elements"]) for page in pages)


def test_elements_have_links_only_and_bodies_have_resources_too(pages, bodies):
    elements = [each for page in pages for each in page["_embedded"]["elements"]]
    assert not any("_embedded" in element for element in elements)
    assert len(bodies) == BODIES
    for body in bodies:
        assert body["_embedded"]["status"]["name"] == body["_links"]["status"]["title"]


def test_some_bodies_came_by_webhook(documents):
    actions = [each["action"] for each in documents.values() if "action" in each]
    assert actions == ["work_package:created"] * (BODIES // 4)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("dueDate", 0.2, 0.5), ("startDate", 0.1, 0.4), ("duration", 0.1, 0.4)],
)
def test_dates_are_often_null(packages, name, low, high):
    assert low < share(packages, lambda package: package.get(name)) < high


def test_milestones_have_a_date_in_place_of_two(packages):
    milestones = [package for package in packages if "date" in package]
    assert 0.02 < len(milestones) / RECORDS < 0.12
    assert {package["_links"]["type"]["title"] for package in milestones} == {"Milestone"}
    assert not any("dueDate" in package for package in milestones)


def test_assignee_and_progress_may_be_null(packages):
    assert 0.3 < share(packages, lambda p: p["_links"]["assignee"]["href"] is None) < 0.5
    assert 0.02 < share(packages, lambda p: p["percentageDone"] is None) < 0.2


def test_durations_are_those_of_iso_8601(packages):
    estimates = {package["estimatedTime"] for package in packages}
    pattern = r"P\d+D|PT\d+H|PT\d+M|PT\d+H\d+M"
    assert None in estimates
    assert all(re.fullmatch(pattern, value) for value in estimates - {None})


def test_stamps_come_with_and_without_milliseconds(packages):
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"
    forms = [re.fullmatch(pattern, package["createdAt"]) for package in packages]
    assert all(forms)
    assert 0.3 < sum(form[1] is None for form in forms) / RECORDS < 0.7


@pytest.mark.parametrize("name", ["type", "status", "priority"])
def test_some_names_are_not_english(packages, name):
    titles = {package["_links"][name]["title"] for package in packages}
    assert any(not title.isascii() for title in titles)


def test_ids_are_unique_and_rise_with_the_time_in_the_pages(pages, packages):
    assert len({package["id"] for package in packages}) == RECORDS
    listed = [each["id"] for page in pages for each in page["_embedded"]["elements"]]
    assert listed == sorted(listed)
