from dataclasses import asdict
from pathlib import Path

import pytest

from jepa_ray.config import SplitConfig
from jepa_ray.confirm.datasets import listed, trainable, untrained_line
from jepa_ray.confirm.sides import require_two_sides
from jepa_ray.errors import CorpusError
from tests.confirm.runs import GH, corpus, manifest
from tests.prepared_corpus import JIRA, issue_lines, write_prepared


@pytest.fixture
def processed(tmp_path) -> Path:
    write_prepared(tmp_path / "p", tmp_path / "raw", records=12)
    return tmp_path / "p"


def test_what_cannot_be_trained_on_is_listed_with_its_reason(processed):
    for status in ("blocked", "missing", "failed"):
        manifest(processed, f"a_{status}", status=status, reason="so", windows=0, fingerprint=None)
    manifest(processed, "an_empty", windows=0)
    manifest(processed, "a_single", windows=1)
    found = listed(str(processed), "combined")
    assert {name: each.status for name, each in found.items()} == {
        "a_blocked": "blocked", "a_failed": "failed", "a_missing": "missing", "a_single": "too_few",
        "an_empty": "empty", JIRA: "trained",
    }  # fmt: skip
    assert trainable(found) == [JIRA]
    assert found[JIRA].reason is None
    line = untrained_line({name: asdict(each) for name, each in found.items()})
    assert line is not None
    assert "a_blocked (blocked: so); " in line
    assert "a_single (too_few: 1 window(s), 2 are the least" in line


def test_a_manifest_that_cannot_be_read_is_a_failure_of_its_dataset(processed):
    (processed / "odd").mkdir()
    (processed / "odd" / "manifest.json").write_text("{")
    found = listed(str(processed), "combined")
    assert (found["odd"].status, found["odd"].reason) == ("failed", "its manifest.json is not JSON")


def test_days_are_left_out_where_there_are_records(processed):
    manifest(processed, "days", windowing="actor_day")
    assert list(listed(str(processed), "combined")) == [JIRA]
    manifest(processed, JIRA, status="failed", reason="broken")
    assert list(listed(str(processed), "combined")) == ["days"]


def test_names_may_be_chosen(tmp_path):
    processed = corpus(tmp_path, records=12)
    assert list(listed(processed, f" {JIRA},{JIRA}")) == [JIRA]
    assert list(listed(processed, f"{JIRA},{GH}")) == [GH, JIRA]
    with pytest.raises(
        CorpusError, match=f"dataset 'nowhere' is not.*There: combined, {GH}, {JIRA}"
    ):
        listed(processed, f"nowhere,{JIRA}")
    with pytest.raises(CorpusError, match="dataset ',' is not prepared"):
        listed(processed, ",")


def test_where_nothing_can_be_trained_on_the_message_says_why(processed, tmp_path):
    manifest(processed, JIRA, status="blocked", reason="a licence", windows=0)
    with pytest.raises(CorpusError, match=f"{JIRA}: a licence.*run `jepa-ray prepare` first"):
        listed(str(processed), "combined")
    with pytest.raises(CorpusError, match="there is no folder"):
        listed(str(tmp_path / "nowhere"), "combined")


@pytest.mark.parametrize("mode", ["random_resplit", "grouped", "temporal"])
def test_windows_that_differ_have_two_sides(processed, mode):
    require_two_sides(str(processed), [JIRA], SplitConfig(mode=mode), [1])


def test_a_side_without_windows_is_named_with_dataset_and_seed(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", lines=issue_lines(12, projects=1))
    grouped = SplitConfig(mode="grouped")
    with pytest.raises(CorpusError, match=rf"{JIRA}: with seed 7, .*split.mode=grouped leaves one"):
        require_two_sides(str(tmp_path / "p"), [JIRA], grouped, [7, 8])
    require_two_sides(str(tmp_path / "p"), [JIRA], SplitConfig(), [7, 8])
