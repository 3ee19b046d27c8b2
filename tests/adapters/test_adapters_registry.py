"""The registry over the entry points of pyproject.toml: `all`, extras, blocked datasets."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from jepa_ray.adapters import adapters, catalogue, registry, select
from jepa_ray.errors import SourceError

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
EXTRAS = {"calendar_ics_community", "calendar_ics_legacy"}
BLOCKED = {"blocked_sources", "smart_todo_decoded_gated"}
THIRTEEN = BLOCKED | {
    "calendar_ics_thunderbird", "enron_cornell", "enron_maildir", "enron_snap", "epa", "gharchive",
    "ms_latte", "project_openproject", "project_taiga", "public_jira", "smart_todo_coded",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _entry_points_of_the_project(monkeypatch):
    declared = PROJECT["project"]["entry-points"][registry.GROUP].items()
    points = [EntryPoint(name, value, registry.GROUP) for name, value in declared]
    monkeypatch.setattr(registry, "entry_points", lambda **_: points)
    registry._load.cache_clear()
    yield
    registry._load.cache_clear()


def names(*wanted):
    return [adapter.info.dataset for adapter in select(wanted)]


def test_all_is_the_thirteen_of_the_reference_run():
    assert names("all") == sorted(THIRTEEN)


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_an_extra_is_taken_by_its_name(extra):
    assert names(extra) == [extra]
    assert names("all", extra) == [*sorted(THIRTEEN), extra]


def test_an_unknown_name_lists_the_extras_too():
    with pytest.raises(SourceError, match="calendar_ics_legacy"):
        select(["calendar"])


@pytest.mark.parametrize("looked", [True, False])
def test_the_catalogue_says_what_is_blocked_and_why(tmp_path, looked):
    found = {e["dataset"]: e for e in catalogue(tmp_path if looked else None)}
    assert set(found) == THIRTEEN | EXTRAS
    for name, entry in found.items():
        blocked = name in BLOCKED
        status = "blocked" if blocked else "missing" if looked else "unknown"
        assert (entry["status"], entry["trainable"]) == (status, not blocked)
        assert bool(entry["reason"]) == blocked
        assert entry["extra"] == (name in EXTRAS)


def test_every_source_says_how_to_get_it_under_which_licence():
    for adapter in adapters().values():
        info = adapter.info
        assert all((info.group, info.path, info.licence, info.how_to_get, info.citation))


def test_adapters_are_independent_of_each_other_by_contract():
    contract = PROJECT["tool"]["importlinter"]["contracts"][1]
    assert set(contract["modules"]) == {a.__module__ for a in adapters().values()}


@pytest.mark.realdata
def test_every_real_sample_is_found(real_data):
    found = {e["dataset"]: e["status"] for e in catalogue(real_data)}
    assert {name for name, status in found.items() if status != "available"} == BLOCKED | {"epa"}


def test_a_broken_plug_in_is_named_and_stops_nobody_else(monkeypatch):
    points = [
        EntryPoint("bookings", "no_such_package.bookings:ADAPTER", registry.GROUP),
        EntryPoint("gharchive", "jepa_ray.adapters.gharchive:ADAPTER", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: points)
    registry._load.cache_clear()
    assert names("all") == ["gharchive"]
    with pytest.raises(SourceError, match=r"adapter of bookings is broken.*ModuleNotFound"):
        names("bookings")
