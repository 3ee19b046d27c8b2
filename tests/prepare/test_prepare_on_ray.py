"""The stage on a real Ray: accounting, no-op, failures, what a killed run leaves."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_ray.adapters import adapters
from jepa_ray.config import SplitConfig
from jepa_ray.corpus import load
from jepa_ray.errors import CorpusError, StageError, UsageError
from jepa_ray.prepare import datasource, work
from jepa_ray.storage import exclusive
from jepa_ray.synth import DATASETS, synthesize
from tests.prepare.stage_runs import RECORDS, bad_jira, run, uids

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]
_WITHOUT_RAY = """
import sys
from jepa_ray.cli import main
try:
    main()
finally:
    assert "ray" not in sys.modules
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for dataset in DATASETS:
        synthesize(dataset, root, seed=1, records=RECORDS)
    return root


@pytest.fixture(scope="module")
def done(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, run(raw, out, DATASETS)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_record_is_a_window_a_skip_or_in_quarantine(done, dataset):
    m = done[1].manifests[dataset]
    assert m["records"] == RECORDS == sum(s["records"] for s in m["sources"])
    lost = sum(m["skipped"].values()) + sum(m["quarantined"].values())
    assert m["records"] == m["windows"] - m["expanded"] + lost
    assert len(uids(done[0], dataset)) == m["windows"]


def test_a_dataset_folder_holds_what_the_design_names(done):
    folder = done[0] / "p" / "public_jira"
    assert {p.name for p in folder.iterdir()} == {
        ".lock", "README.md", "manifest.json", "shards", "stats.json", "windows",
    }  # fmt: skip
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["features"]["task"]["max"] == 1.0
    assert (done[0] / "r" / "a.json").exists()
    assert "public_jira" in (done[0] / "r" / "a.md").read_text()


def test_any_block_size_gives_the_same_windows(done, raw, tmp_path):
    run(raw, tmp_path, names=["public_jira", "enron_maildir"], raw_block_bytes=4096)
    for dataset in ("public_jira", "enron_maildir"):
        assert uids(tmp_path, dataset) == uids(done[0], dataset)
    assert len(list((tmp_path / "p" / "enron_maildir" / "windows").iterdir())) > 1


def test_the_same_input_again_is_a_no_op_that_starts_no_ray(done, raw):
    out, first = done
    before = {p: p.stat().st_mtime_ns for p in (out / "p").rglob("*") if p.is_file()}
    found = subprocess.run(
        [sys.executable, "-c", _WITHOUT_RAY, "prepare",
         "--dataset", ",".join(DATASETS),
         "--data-root", raw, "--processed-dir", out / "p",
         "--reports-dir", out / "r2", "--run-id", "b"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "Nothing to do" in found.stdout
    assert before == {p: p.stat().st_mtime_ns for p in (out / "p").rglob("*") if p.is_file()}
    assert first.manifests.keys() == {*DATASETS}


def test_a_lost_part_file_is_prepared_again(raw, tmp_path):
    run(raw, tmp_path, names=["public_jira"])
    before = uids(tmp_path, "public_jira")
    for part in (tmp_path / "p" / "public_jira" / "windows").iterdir():
        part.unlink()
    assert not run(raw, tmp_path, names=["public_jira"]).manifests["public_jira"].get("unchanged")
    assert uids(tmp_path, "public_jira") == before


def test_changed_input_replaces_the_windows_and_leaves_no_old_file(tmp_path):
    raw = tmp_path / "raw"
    synthesize("public_jira", raw, seed=1, records=50)
    run(raw, tmp_path, names=["public_jira"])
    synthesize("public_jira", raw, seed=2, records=60)
    manifest = run(raw, tmp_path, names=["public_jira"]).manifests["public_jira"]
    assert manifest["windows"] == 60
    left = {p.name for p in (tmp_path / "p" / "public_jira" / "windows").iterdir()}
    assert left == {p["name"] for p in manifest["parts"]}


def test_a_bad_record_goes_to_the_quarantine_with_its_place(tmp_path):
    bad_jira(tmp_path / "raw", good=99, bad=1)
    manifest = run(tmp_path / "raw", tmp_path, names=["public_jira"]).manifests["public_jira"]
    assert manifest["quarantined"] == {"malformed_line": 1}
    (file,) = (tmp_path / "p" / "public_jira" / "quarantine").iterdir()
    assert json.loads(file.read_text())["locator"] == "public_jira/x.normalized.jsonl.gz:100"


def test_too_many_bad_records_fail_the_dataset_with_the_counts(command, tmp_path):
    bad_jira(tmp_path / "raw", good=50, bad=50)
    synthesize("gharchive", tmp_path / "raw", seed=1, records=20)
    found = command(
        "prepare", "--dataset", "public_jira,gharchive", "--data-root", tmp_path / "raw",
        "--processed-dir", tmp_path / "p", "--reports-dir", tmp_path / "r", "--run-id", "a",
        "--json",
    )  # fmt: skip
    assert found.code == 1
    assert "malformed_line: 50" in found.err
    assert found.json["datasets"]["public_jira"]["status"] == "failed"
    assert found.json["datasets"]["gharchive"]["status"] == "completed"
    assert found.json["datasets"]["public_jira"]["windows"] == 50
    with pytest.raises(CorpusError, match="is failed"):
        load(str(tmp_path / "p"), ["public_jira"], SplitConfig())


def test_a_failed_rerun_keeps_the_windows_of_before(tmp_path):
    bad_jira(tmp_path / "raw", good=10, bad=0)
    run(tmp_path / "raw", tmp_path, names=["public_jira"])
    before = uids(tmp_path, "public_jira")
    (tmp_path / "raw" / "public_jira" / "x.normalized.jsonl.gz").unlink()
    (tmp_path / "raw" / "public_jira").rmdir()
    bad_jira(tmp_path / "raw", good=10, bad=10)
    result = run(tmp_path / "raw", tmp_path, names=["public_jira"])
    assert "public_jira" in result.failed
    assert uids(tmp_path, "public_jira") == before


def test_a_source_that_is_not_there_is_missing_under_all(tmp_path):
    synthesize("gharchive", tmp_path / "raw", seed=1, records=20)
    manifests = run(tmp_path / "raw", tmp_path, names=["all"]).manifests
    assert manifests["gharchive"]["status"] == "completed"
    assert manifests["public_jira"]["status"] == "missing"
    assert "zenodo" in manifests["public_jira"]["reason"]


def test_an_empty_archive_gives_an_empty_dataset(tmp_path):
    folder = tmp_path / "raw" / "gharchive"
    folder.mkdir(parents=True)
    (folder / "2015-01-01-0.json.gz").write_bytes(gzip.compress(b""))
    manifest = run(tmp_path / "raw", tmp_path, names=["gharchive"]).manifests["gharchive"]
    assert (manifest["status"], manifest["records"], manifest["windows"]) == ("completed", 0, 0)


def test_a_truncated_archive_keeps_what_came_before_the_cut(tmp_path):
    synthesize("enron_maildir", tmp_path / "raw", seed=1, records=200)
    (archive,) = (tmp_path / "raw").rglob("*.tar.gz")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    manifest = run(tmp_path / "raw", tmp_path, names=["enron_maildir"]).manifests["enron_maildir"]
    assert manifest["quarantined"] == {"truncated_stream": 1}
    assert 20 < manifest["windows"] < 200


def test_a_shortened_part_file_is_prepared_again(raw, tmp_path):
    run(raw, tmp_path, names=["public_jira"])
    before = uids(tmp_path, "public_jira")
    (part,) = (tmp_path / "p" / "public_jira" / "windows").iterdir()
    part.write_bytes(b"")
    assert not run(raw, tmp_path, names=["public_jira"]).manifests["public_jira"].get("unchanged")
    assert uids(tmp_path, "public_jira") == before


def test_a_stricter_rerun_is_not_content_with_what_is_there(tmp_path):
    bad_jira(tmp_path / "raw", good=99, bad=1)
    run(tmp_path / "raw", tmp_path, names=["public_jira"])
    again = run(tmp_path / "raw", tmp_path, names=["public_jira"], max_bad_fraction=0.0)
    assert "malformed_line: 1" in again.failed["public_jira"]


def test_what_matches_but_is_no_file_is_in_the_quarantine(tmp_path):
    synthesize("gharchive", tmp_path / "raw", seed=1, records=100)
    (tmp_path / "raw" / "gharchive" / "2015-01-01-0.json.gz").mkdir()
    (tmp_path / "raw" / "gharchive" / "2015-01-01-1.json.gz").symlink_to("nowhere")
    manifest = run(tmp_path / "raw", tmp_path, names=["gharchive"]).manifests["gharchive"]
    assert manifest["quarantined"] == {"unreadable_file": 2}
    assert (manifest["records"], manifest["windows"]) == (102, 100)


def test_two_preparations_of_one_dataset_do_not_meet(raw, tmp_path):
    with (
        exclusive(tmp_path / "p" / "public_jira", "hold"),
        pytest.raises(UsageError, match="another process is at work"),
    ):
        run(raw, tmp_path, names=["public_jira"])


def test_no_dataset_is_no_reason_to_do_nothing(raw, tmp_path):
    with pytest.raises(UsageError, match="no dataset"):
        run(raw, tmp_path, names=[])


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(raw, tmp_path):
    (tmp_path / "p").write_text("a file")
    with pytest.raises(UsageError, match="is not a folder that can be written to"):
        run(raw, tmp_path, names=["public_jira"])


def test_both_ways_of_working_give_the_same_windows(tmp_path, monkeypatch):
    synthesize("enron_maildir", tmp_path / "raw", seed=1, records=200)
    found = []
    for little in (0, 1 << 40):
        monkeypatch.setattr(datasource, "_LITTLE_BYTES", little)
        out = tmp_path / str(little)
        manifest = run(
            tmp_path / "raw", out, names=["enron_maildir"], raw_block_bytes=8192
        ).manifests["enron_maildir"]
        assert len(manifest["parts"]) > 1
        assert manifest["records"] == 200
        found.append(uids(out, "enron_maildir"))
    assert found[0] == found[1]


@pytest.mark.parametrize("little", [0, 1 << 40])
def test_a_node_without_the_source_says_so_and_nothing_is_taken_for_a_defect(
    tmp_path, monkeypatch, little
):
    synthesize("public_jira", tmp_path / "raw", seed=1, records=20)
    monkeypatch.setattr(datasource, "_LITTLE_BYTES", little)

    def vanish(*args: object, **kwargs: object) -> object:
        for path in (tmp_path / "raw" / "public_jira").iterdir():
            path.unlink()
        return real(*args, **kwargs)

    real = work.run
    monkeypatch.setattr(work, "run", vanish)
    manifest = run(tmp_path / "raw", tmp_path, names=["public_jira"]).manifests["public_jira"]
    assert manifest["status"] == "failed"
    assert "cannot read public_jira/" in manifest["reason"]
    assert "ray::" not in manifest["reason"]
    assert "public_jira" in manifest["reason"]
    assert manifest["quarantined"] == {}


def test_windows_that_were_imported_are_not_replaced_without_a_word(raw, tmp_path):
    run(raw, tmp_path, names=["public_jira"])
    place = tmp_path / "p" / "public_jira" / "manifest.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"imported": True}))
    with pytest.raises(UsageError, match="`jepa-ray import` made"):
        run(raw, tmp_path, names=["public_jira"])


def test_an_adapter_that_raises_when_it_looks_for_its_files_is_named(raw, tmp_path, monkeypatch):
    def shards(_self: object, _root: Path) -> list[object]:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(adapters()["public_jira"], "shards", shards)
    with pytest.raises(StageError, match="raised ZeroDivisionError at") as error:
        run(raw, tmp_path, names=["public_jira"])
    assert "secret" not in str(error.value)
