"""Archives below a data root: what is written, what is refused, and that `prepare` agrees."""

import json
from pathlib import Path

import pytest

from jepa_ray.bulk import Wish, stage, write_archives
from jepa_ray.errors import SourceError, StageError, UsageError
from jepa_ray.synth.bulk import BULK, plan
from tests.prepare.stage_runs import run

COUNTS = ("records", "windows", "expanded", "skipped", "quarantined")


def contents(root: Path) -> dict[str, bytes]:
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def assert_prepare_agrees(raw: Path, out: Path) -> None:
    manifests = run(raw, out, BULK).manifests
    for dataset in BULK:
        expected = json.loads((raw / "expected" / f"{dataset}.json").read_text())
        assert manifests[dataset]["status"] == "completed"
        assert {name: manifests[dataset][name] for name in COUNTS} == {
            name: expected[name] for name in COUNTS
        }


def test_the_archives_and_their_accounts_lie_where_prepare_finds_the_former_only(tmp_path):
    result = write_archives(list(BULK), tmp_path, Wish(records=200, seed=1, defects=0.1))
    assert set(contents(tmp_path)) == {
        "enron/maildir/enron_mail_synth.tar.gz",
        "expected/enron_maildir.json",
        "expected/gharchive.json",
        "expected/public_jira.json",
        "gharchive/2015-03-02-0.json.gz",
        "public_jira/mongodump-JiraRepos.archive",
    }
    for dataset, made in result.items():
        assert made["records"] == 200
        document = json.loads((tmp_path / "expected" / f"{dataset}.json").read_text())
        assert made == document | {"seconds": made["seconds"], "unchanged": False}
        for file in made["files"]:
            assert (tmp_path / file["path"]).stat().st_size == file["bytes"]


def test_the_same_order_again_does_nothing(tmp_path):
    wish = Wish(records=100, defects=0.1)
    write_archives(["gharchive"], tmp_path, wish)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json*")}
    assert write_archives(["gharchive"], tmp_path, wish)["gharchive"]["unchanged"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json*")} == before


@pytest.mark.parametrize(
    "other", [Wish(records=101), Wish(records=100, seed=1), Wish(records=100, defects=0.5)]
)
def test_another_archive_of_the_dataset_is_not_replaced(tmp_path, other):
    write_archives(["gharchive"], tmp_path, Wish(records=100))
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=r"holds gharchive/.*choose another --output"):
        write_archives(["enron_maildir", "gharchive"], tmp_path, other)
    assert contents(tmp_path) == before


def test_files_that_prepare_would_prefer_are_refused_too(tmp_path):
    (tmp_path / "public_jira").mkdir()
    (tmp_path / "public_jira" / "x.jsonl").write_text("{}")
    with pytest.raises(UsageError, match="public_jira/x"):
        write_archives(["public_jira"], tmp_path, Wish(records=10))


def test_an_archive_that_was_damaged_since_is_not_taken_for_the_same(tmp_path):
    wish = Wish(records=100)
    write_archives(["gharchive"], tmp_path, wish)
    (tmp_path / "gharchive" / "2015-03-02-0.json.gz").write_bytes(b"")
    with pytest.raises(UsageError, match="holds gharchive/"):
        write_archives(["gharchive"], tmp_path, wish)


def test_a_killed_run_leaves_nothing_to_be_found_and_the_next_one_clears_it(tmp_path):
    (tmp_path / ".synth-gharchive" / "gharchive").mkdir(parents=True)
    (tmp_path / ".synth-gharchive" / "gharchive" / "2015-03-02-9.json.gz").write_bytes(b"x")
    made = write_archives(["gharchive"], tmp_path, Wish(records=10))["gharchive"]
    assert [file["path"] for file in made["files"]] == ["gharchive/2015-03-02-0.json.gz"]
    assert not (tmp_path / ".synth-gharchive").exists()


def test_a_failure_leaves_no_file(tmp_path, monkeypatch):
    def broken(_):
        raise StageError("broken")

    monkeypatch.setattr(stage, "make", broken)
    with pytest.raises(StageError):
        write_archives(["gharchive"], tmp_path, Wish(records=10))
    assert contents(tmp_path) == {}


def test_other_datasets_are_made_by_records(tmp_path):
    made = write_archives(["epa", "ms_latte"], tmp_path, Wish(records=7, seed=2))
    assert {name: found["records"] for name, found in made.items()} == {"epa": 7, "ms_latte": 7}
    assert write_archives(["epa"], tmp_path, Wish(records=7, seed=2))["epa"]["unchanged"]


@pytest.mark.parametrize(
    ("names", "wish", "kind", "detail"),
    [
        (["gharchiv"], Wish(records=1), SourceError, "Allowed: calendar_ics_thunderbird"),
        (["epa"], Wish(size=10), SourceError, "a size and defects are for enron_maildir"),
        (["epa"], Wish(records=10, defects=0.1), SourceError, "without --defects"),
        (["gharchive"], Wish(), UsageError, "either --size or --records"),
        (["gharchive"], Wish(records=1, size=1), UsageError, "either --size or --records"),
        (["gharchive"], Wish(records=0), UsageError, "--records from 1 up"),
        (["gharchive"], Wish(records=1, seed=-1), UsageError, "--seed is from 0 up"),
        (["gharchive"], Wish(records=1, defects=1.5), UsageError, "--defects from 0 to 1"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(names, wish, kind, detail, tmp_path):
    with pytest.raises(kind, match=detail):
        write_archives(names, tmp_path / "x", wish)
    assert not (tmp_path / "x").exists()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_ray_makes_the_same_files_and_prepare_agrees_with_the_account(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "_PIECE_BYTES", 1 << 20)
    wish = Wish(records=1500, seed=9, defects=0.03)
    write_archives(list(BULK), tmp_path / "one", wish)
    monkeypatch.setattr(stage, "_ON_RAY_FROM", 0)
    write_archives(list(BULK), tmp_path / "many", wish)
    assert contents(tmp_path / "many") == contents(tmp_path / "one")
    assert_prepare_agrees(tmp_path / "many", tmp_path / "out")


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("ray_session")
def test_hundreds_of_megabytes_with_defects_reconcile_to_the_record(tmp_path):
    write_archives(list(BULK), tmp_path / "raw", Wish(size=260 << 20, seed=11, defects=0.01))
    assert_prepare_agrees(tmp_path / "raw", tmp_path / "out")
