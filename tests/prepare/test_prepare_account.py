"""Accounts, their markers, and when a shard counts as whole."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import BlockReport, PartWriter
from jepa_ray.prepare.finished import finish, finished, lost_files, sweep_markers
from jepa_ray.prepare.work import Tally
from jepa_ray.readers import RawItem
from tests.prepared_corpus import JIRA, issue_lines


@pytest.fixture
def reports(tmp_path: Path) -> list[BlockReport]:
    """Three flushes of one shard; each holds a bad line, the last is empty and closes it."""
    adapter = adapters()[JIRA](PrepareConfig())
    writer = PartWriter(adapter, 4, target=str(tmp_path), key="k", node="here")
    found = []
    for number in (1, 100):
        lines = [*issue_lines(6, seed=number), b"{"]
        items = [RawItem(number, "", b"\n".join(lines))]
        found += [*writer.take(0, "a.jsonl", items), writer.flush()]
    return [*found, writer.flush(writer.rows)]


@pytest.fixture
def whole(reports) -> Account:
    return Account.merge([report.account for report in reports])


def test_an_account_survives_its_way_through_json_to_the_bit(whole):
    back = Account.loads(whole.dumps())
    assert back.dumps() == whole.dumps()
    assert replace(back, statistics=None) == replace(whole, statistics=None)
    assert back.statistics.document() == whole.statistics.document()
    assert Account.loads(Account().dumps()) == Account()


@given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_what_is_no_account_is_a_value_error(data):
    with pytest.raises(ValueError, match="not an account"):
        Account.loads(data if isinstance(data, bytes) else data.encode())


def test_statistics_that_are_cut_are_refused(whole):
    document = json.loads(whole.dumps())
    for name in ("slots", "contents", "total", "copies"):
        cut = document["statistics"][name][:-16]
        broken = document | {"statistics": document["statistics"] | {name: cut}}
        with pytest.raises(ValueError, match="not an account"):
            Account.loads(json.dumps(broken).encode())
    for broken in (b"[" * 100_000, json.dumps(document | {"records": {"a": "b"}}).encode()):
        with pytest.raises(ValueError, match="not an account"):
            Account.loads(broken)


def test_an_account_that_does_not_add_up_is_refused(whole):
    document = json.loads(whole.dumps())
    for broken in (
        document | {"expanded": 1},
        document | {"form": 0},
        document | {"parts": document["parts"][1:]},
        {key: value for key, value in document.items() if key != "statistics"},
    ):
        with pytest.raises(ValueError, match="not an account"):
            Account.loads(json.dumps(broken).encode())


def test_the_statistics_of_parts_are_those_of_the_whole(reports, whole):
    assert whole.statistics.windows == whole.windows == 12
    assert whole.records == Counter({"a.jsonl": 14})
    assert whole.quarantined == Counter(malformed_line=2)
    assert [part.rows for part in whole.quarantine] == [1, 1]
    assert [report.rows for report in reports] == [1, 1, 0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_shard_is_whole_when_all_its_rows_came_back_in_any_order(reports, whole, order):
    tally = Tally()
    found = [tally.add(reports[i]) for i in order]
    assert found[:2] == [None, None]
    assert found[2].dumps() == whole.dumps()


def test_an_empty_shard_is_whole_at_once():
    closing = BlockReport(0, (0, 0), 0, 0, 0, "here", Account())
    assert Tally().add(closing) == Account()


def test_a_finished_shard_is_found_again(tmp_path, whole):
    finish(str(tmp_path), "k", whole)
    found = finished(str(tmp_path), ["k", "other"])
    assert {key: account.dumps() for key, account in found.items()} == {"k": whole.dumps()}
    assert lost_files(str(tmp_path), whole) == []
    assert finished(str(tmp_path / "nowhere"), ["k"]) == {}


@pytest.mark.parametrize("folder", ["windows", "quarantine"])
@pytest.mark.parametrize("change", ["delete", "shorten"])
def test_a_shard_whose_files_are_not_whole_is_not_finished(tmp_path, whole, folder, change):
    finish(str(tmp_path), "k", whole)
    file = min((tmp_path / folder).iterdir())
    if change == "delete":
        file.unlink()
        assert lost_files(str(tmp_path), whole) == [f"{folder}/{file.name}"]
    else:
        file.write_bytes(file.read_bytes()[:-1])
    assert finished(str(tmp_path), ["k"]) == {}


def test_only_the_markers_of_other_shards_are_removed(tmp_path, whole):
    for key in ("a", "b", "c"):
        finish(str(tmp_path), key, whole)
    sweep_markers(str(tmp_path), ["b"])
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["b.json"]
