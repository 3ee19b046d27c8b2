"""Manifest, dataset card and the report of a run."""

import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jepa_ray.adapters import SourceFile, adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.account import Account, Part
from jepa_ray.prepare.block import process_block, raw_table
from jepa_ray.prepare.documents import (
    card,
    empty_manifest,
    filled_manifest,
    public,
    run_markdown,
    utc_now,
)
from jepa_ray.readers import RawItem
from tests.prepared_corpus import JIRA, issue_lines

ADAPTER = adapters()[JIRA]
SALT = "very secret salt"
CONFIG = PrepareConfig(actor_salt=SALT)
FILES = [(SourceFile(Path("x"), "a.jsonl", 10), "f1"), (SourceFile(Path("y"), "b.jsonl", 20), "f2")]


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """Of two blocks of two files; the second holds a bad line."""
    found = []
    for i, lines in enumerate([issue_lines(6), [*issue_lines(3, seed=2), b"{"]]):
        table = raw_table(i, 0, f"{'ab'[i]}.jsonl", [RawItem(1, "", b"\n".join(lines))])
        (report,) = process_block(ADAPTER(CONFIG), table, target=str(tmp_path), key=f"k{i}")
        found.append(report.account)
    return Account.merge(found)


def empty() -> dict[str, Any]:
    return empty_manifest(ADAPTER, CONFIG, "completed")


def test_a_manifest_without_records_has_the_keys_of_a_filled_one(account):
    filled = filled_manifest(empty(), account, FILES, "fp")
    assert list(filled) == list(empty())


def test_the_counts_of_all_blocks_add_up(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    statistics = account.statistics
    assert (manifest["records"], manifest["windows"], manifest["expanded"]) == (10, 9, 0)
    assert manifest["quarantined"] == {"malformed_line": 1}
    assert manifest["skipped"] == {}
    assert statistics is not None
    assert manifest["distinct_windows"] == len(statistics.contents)


def test_the_sources_stand_in_order_with_their_records(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    assert manifest["sources"] == [
        {"path": "a.jsonl", "bytes": 10, "fingerprint": "f1", "records": 6},
        {"path": "b.jsonl", "bytes": 20, "fingerprint": "f2", "records": 4},
    ]


def test_the_files_that_count_are_listed(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    assert [part["rows"] for part in manifest["parts"]] == [6, 3]
    assert len(manifest["quarantine"]) == 1


def test_a_lost_record_is_our_own_mistake_and_stops_the_manifest(account):
    account.records["a.jsonl"] += 1
    with pytest.raises(AssertionError, match="1 records of public_jira are not accounted for"):
        filled_manifest(empty(), account, FILES, "fp")


def test_a_window_too_many_stops_the_manifest_too(account):
    more = replace(account, parts=(*account.parts, Part("x", 1, 1)))
    with pytest.raises(AssertionError, match="not accounted for"):
        filled_manifest(empty(), more, FILES, "fp")


def test_expanded_windows_and_skips_enter_the_account(account):
    whole = replace(account, expanded=2, skipped=Counter(no_date=2))
    manifest = filled_manifest(empty(), whole, FILES, "fp")
    counts = (manifest["records"], manifest["expanded"], manifest["skipped"])
    assert counts == (10, 2, {"no_date": 2})


def test_a_dataset_without_a_block_has_no_statistics():
    manifest = filled_manifest(empty(), Account(), FILES, "fp")
    assert (manifest["records"], manifest["windows"], manifest["distinct_windows"]) == (0, 0, 0)


def test_the_salt_is_kept_as_a_fingerprint_only(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    text = json.dumps(manifest, allow_nan=False)
    assert SALT not in text
    assert len(manifest["salt_fingerprint"]) == 16


def test_the_public_manifest_has_no_lists_of_files(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    assert set(manifest) - set(public(manifest)) == {"sources", "parts", "quarantine"}


def test_times_are_utc_to_the_second():
    assert dt.datetime.fromisoformat(utc_now()).utcoffset() == dt.timedelta(0)
    assert len(utc_now()) == len("2026-01-01T00:00:00+00:00")


def cells(line: str) -> int:
    return line.replace(r"\|", "").count("|")


def tables(text: str) -> list[list[str]]:
    """The runs of lines that are tables."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_the_card_names_the_dataset_its_licence_and_its_counts(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    statistics = account.statistics
    assert statistics is not None
    text = card(ADAPTER, manifest, statistics.document())
    assert text.startswith("# public_jira\n")
    assert ADAPTER.info.licence in text
    assert "| records | 10 |" in text
    assert "- malformed_line: 1" in text
    assert "| source_confidence |" in text
    assert text.endswith("\n")


def test_every_table_of_the_card_has_equal_rows(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    statistics = account.statistics
    assert statistics is not None
    for table in tables(card(ADAPTER, manifest, statistics.document())):
        assert len({cells(line) for line in table}) == 1


@pytest.mark.parametrize("dataset", sorted(adapters()))
def test_the_card_of_a_dataset_without_windows_renders(dataset):
    adapter = adapters()[dataset]
    text = card(adapter, empty_manifest(adapter, CONFIG, "missing", "nothing there"), None)
    assert "| status | missing |" in text
    assert "entropy" not in text
    for table in tables(text):
        assert len({cells(line) for line in table}) == 1


def test_the_run_report_is_one_table_and_the_reasons_below(account):
    manifest = filled_manifest(empty(), account, FILES, "fp")
    missing = empty_manifest(adapters()["gharchive"], CONFIG, "missing", "nothing at a|b")
    text = run_markdown(
        "run-1",
        {
            JIRA: manifest | {"seconds": 1.25, "unchanged": True},
            "gharchive": missing | {"seconds": 0.0},
        },
    )
    assert text.startswith("# prepare run-1\n")
    assert "| public_jira | completed (unchanged) | 10 | 9 |" in text
    assert "public_jira: quarantined:" in text
    (table,) = tables(text)
    assert len(table) == 4
    assert len({cells(line) for line in table}) == 1
