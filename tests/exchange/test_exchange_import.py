"""Import: records of any producer become a prepared dataset; every one is accounted for."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jepa_ray.config import ImportConfig, SplitConfig
from jepa_ray.corpus import choose, load
from jepa_ray.errors import SourceError, UsageError
from jepa_ray.exchange import import_records
from jepa_ray.report import read_stats, read_window
from jepa_ray.windows import read_manifest
from tests.exchange.records import DATASET, lines, record, tokens, write_side
from tests.prepared_corpus import JIRA, write_prepared

SECRET = "Ann Example"


def many(n: int, first: int = 0) -> list[dict[str, Any]]:
    return [record(source_id=str(first + i), tokens=tokens(slot=i % 96)) for i in range(n)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """30 records of a colleague for training, 10 held out."""
    write_side(tmp_path / "d", lines(*many(30)))
    return write_side(tmp_path / "d", lines(*many(10, first=30)), side="val")


def import_(folder: Path, processed: Path, **kwargs) -> dict[str, Any]:
    config = kwargs.pop("config", ImportConfig())
    return import_records(str(folder), str(processed), config=config, **kwargs).manifests


def files(processed: Path, dataset: str = DATASET) -> set[str]:
    found = (processed / dataset).rglob("*")
    return {str(p.relative_to(processed / dataset)) for p in found if p.is_file()}


def test_the_folder_has_the_layout_that_prepare_writes(folder, tmp_path):
    manifest = import_(folder, tmp_path / "p")[DATASET]
    (part,) = manifest["parts"]
    assert files(tmp_path / "p") == {
        "manifest.json", "stats.json", "README.md", ".lock", f"windows/{part['name']}",
    }  # fmt: skip
    assert (part["rows"], manifest["windows"], manifest["records"]) == (40, 40, 40)


def test_the_manifest_has_the_keys_of_a_prepared_one_and_says_that_it_is_imported(folder, tmp_path):
    prepared = write_prepared(tmp_path / "q", tmp_path / "raw", records=4)
    import_(folder, tmp_path / "p")
    manifest = read_manifest(str(tmp_path / "p" / DATASET))
    assert set(manifest) == {*prepared, "imported", "metadata_dropped"}
    assert manifest["imported"] is True
    assert [(s["path"], s["records"]) for s in manifest["sources"]] == [
        ("train.jsonl.gz", 30), ("val.jsonl.gz", 10),
    ]  # fmt: skip


def test_what_is_imported_can_be_trained_on_and_inspected(folder, tmp_path):
    import_(folder, tmp_path / "p")
    assert choose(str(tmp_path / "p"), "combined") == [DATASET]
    corpus = load(str(tmp_path / "p"), [DATASET], SplitConfig())
    assert len(corpus.side("train")) + len(corpus.side("val")) == 40
    assert read_stats(str(tmp_path / "p" / DATASET))["windows"] == 40
    assert read_window(str(tmp_path / "p" / DATASET)).dense[0, 3] == 1


def test_every_record_is_a_window_a_skip_or_in_the_quarantine(tmp_path):
    bad = [record(window_start="noon"), record(dataset="x"), record(tokens=[SECRET])]
    text = lines(*many(50)) + b"\n" + lines(*bad) + b"{\n"
    write_side(tmp_path / "d", text)
    loose = ImportConfig(max_bad_fraction=0.5)
    m = import_(tmp_path / "d", tmp_path / "p", config=loose)[DATASET]
    assert (m["records"], m["windows"], m["skipped"]) == (55, 50, {"blank_line": 1})
    assert m["quarantined"] == {
        "bad_shape": 1, "bad_time": 1, "malformed_line": 1, "other_dataset": 1,
    }  # fmt: skip
    (name,) = m["quarantine"]
    quarantine = (tmp_path / "p" / DATASET / "quarantine" / name).read_text().splitlines()
    assert [json.loads(line)["locator"] for line in quarantine] == [
        f"train.jsonl.gz:{n}" for n in (52, 53, 54, 55)
    ]


def test_no_raw_text_of_a_record_is_written(tmp_path):
    named = record(metadata={"actor": SECRET, "title": SECRET, SECRET: 1})
    write_side(tmp_path / "d", lines(*many(30), named, record(window_start=SECRET)))
    import_(tmp_path / "d", tmp_path / "p")
    for path in (tmp_path / "p").rglob("*"):
        if path.suffix == ".parquet":
            assert SECRET not in str(pq.read_table(path).to_pylist())
        elif path.is_file():
            assert SECRET not in path.read_text()


def test_what_of_the_metadata_was_not_kept_is_counted(tmp_path):
    write_side(tmp_path / "d", lines(*(r | {"metadata": {"title": "x"}} for r in many(3))))
    assert import_(tmp_path / "d", tmp_path / "p")[DATASET]["metadata_dropped"] == {
        "(other keys)": 3
    }


def test_too_many_bad_records_fail_the_dataset_and_not_the_others(folder, tmp_path):
    write_side(folder, lines(*many(8)) + b"{\n" * 2, dataset="worse")
    result = import_records(str(folder), str(tmp_path / "p"), config=ImportConfig())
    assert {n: m["status"] for n, m in result.manifests.items()} == {
        DATASET: "completed", "worse": "failed",
    }  # fmt: skip
    assert "max_bad_fraction" in result.failed["worse"]
    assert "malformed_line: 2" in result.failed["worse"]
    assert not [f for f in files(tmp_path / "p", "worse") if f.startswith("windows")]


def test_a_failed_import_does_not_replace_a_completed_one(folder, tmp_path):
    import_(folder, tmp_path / "p")
    write_side(folder, b"{\n" * 30)
    assert import_(folder, tmp_path / "p")[DATASET]["status"] == "failed"
    assert read_manifest(str(tmp_path / "p" / DATASET))["windows"] == 40
    assert "failed.json" in files(tmp_path / "p")
    write_side(folder, lines(*many(5)))
    assert import_(folder, tmp_path / "p")[DATASET]["windows"] == 15
    assert "failed.json" not in files(tmp_path / "p")


def test_the_same_records_again_are_nothing_to_do(folder, tmp_path):
    import_(folder, tmp_path / "p")
    before = {f: (tmp_path / "p" / DATASET / f).stat().st_mtime_ns for f in files(tmp_path / "p")}
    assert import_(folder, tmp_path / "p")[DATASET]["unchanged"]
    after = {f: (tmp_path / "p" / DATASET / f).stat().st_mtime_ns for f in files(tmp_path / "p")}
    assert before == after


@pytest.mark.parametrize("file", ["stats.json", "windows"])
def test_what_is_damaged_is_imported_again(folder, tmp_path, file):
    import_(folder, tmp_path / "p")
    place = tmp_path / "p" / DATASET / file
    for path in [place] if place.is_file() else place.iterdir():
        path.unlink()
    assert "unchanged" not in import_(folder, tmp_path / "p")[DATASET]
    assert len(load(str(tmp_path / "p"), [DATASET], SplitConfig()).datasets[0].windows) == 40


def test_other_records_replace_an_earlier_import(folder, tmp_path):
    import_(folder, tmp_path / "p")
    write_side(folder, lines(*many(20)))
    assert import_(folder, tmp_path / "p")[DATASET]["windows"] == 30
    assert len([f for f in files(tmp_path / "p") if f.startswith("windows")]) == 1


def test_windows_that_prepare_made_are_kept_unless_they_may_be_replaced(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=8)
    write_side(tmp_path / "d", lines(record(dataset=JIRA)), dataset=JIRA)
    with pytest.raises(UsageError, match=r"jepa-ray prepare.*--overwrite"):
        import_(tmp_path / "d", tmp_path / "p")
    assert read_manifest(str(tmp_path / "p" / JIRA))["windows"] == 8
    assert import_(tmp_path / "d", tmp_path / "p", overwrite=True)[JIRA]["windows"] == 1


def test_a_blocked_dataset_has_nothing_to_keep(tmp_path):
    name = "blocked_sources"
    manifest = write_prepared(tmp_path / "q", tmp_path / "raw", records=2)
    (tmp_path / "p" / name).mkdir(parents=True)
    blocked = manifest | {"dataset": name, "status": "blocked", "windows": 0, "parts": []}
    (tmp_path / "p" / name / "manifest.json").write_text(json.dumps(blocked))
    write_side(tmp_path / "d", lines(record(dataset=name)), dataset=name)
    assert import_(tmp_path / "d", tmp_path / "p")[name]["status"] == "completed"


def test_many_records_become_several_parts(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("jepa_ray.exchange.intake.PART_WINDOWS", 8)
    monkeypatch.setattr("jepa_ray.exchange.found._BLOCK_BYTES", 40_000)
    write_side(folder, lines(*many(300)))
    manifest = import_(folder, tmp_path / "p")[DATASET]
    assert len(manifest["parts"]) > 3
    assert sum(part["rows"] for part in manifest["parts"]) == manifest["windows"] == 310
    stats = read_stats(str(tmp_path / "p" / DATASET))
    assert (stats["windows"], stats["distinct_windows"]) == (310, 96)


def test_plain_files_and_an_empty_side_are_taken(tmp_path):
    (tmp_path / "d" / DATASET).mkdir(parents=True)
    (tmp_path / "d" / DATASET / "train.jsonl").write_bytes(lines(*many(3)))
    (tmp_path / "d" / DATASET / "val.jsonl").write_bytes(b"")
    assert import_(tmp_path / "d", tmp_path / "p")[DATASET]["windows"] == 3


def test_a_side_that_is_there_twice_is_refused(folder, tmp_path):
    (folder / DATASET / "train.jsonl").write_bytes(b"")
    with pytest.raises(SourceError, match=r"both train.jsonl.gz and train.jsonl"):
        import_(folder, tmp_path / "p")


def test_a_damaged_file_gives_what_stands_before_the_damage(folder, tmp_path):
    packed = gzip.compress(lines(*many(3000)))
    (folder / DATASET / "train.jsonl.gz").write_bytes(packed[:-2000])
    manifest = import_(folder, tmp_path / "p")[DATASET]
    assert manifest["quarantined"] == {"truncated_stream": 1}
    assert manifest["windows"] > 1000


def test_records_that_are_packed_very_well_are_no_bomb(tmp_path):
    text = lines(*many(9)).replace(b"\n", b" " * 1_000_000 + b"\n") * 10
    write_side(tmp_path / "d", text)
    assert len(text) > 300 * (tmp_path / "d" / DATASET / "train.jsonl.gz").stat().st_size
    assert import_(tmp_path / "d", tmp_path / "p")[DATASET]["windows"] == 90


def test_a_dataset_that_becomes_empty_keeps_no_statistics(folder, tmp_path):
    import_(folder, tmp_path / "p")
    for side in ("train", "val"):
        write_side(folder, b"", side=side)
    assert import_(folder, tmp_path / "p")[DATASET]["windows"] == 0
    assert "stats.json" not in files(tmp_path / "p")


@pytest.mark.parametrize("written", ["d", "d/", "./d", "p/../d", "link", "{}/d", "file://{}/d"])
def test_the_folder_of_the_records_is_no_place_for_windows(folder, tmp_path, monkeypatch, written):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    (tmp_path / "link").symlink_to("d")
    with pytest.raises(UsageError, match="another --processed-dir"):
        import_(folder, written.format(tmp_path))


def test_the_folder_of_one_dataset_is_named_as_such(folder, tmp_path):
    with pytest.raises(SourceError, match=r"folder of one dataset; give the folder above it"):
        import_(folder / DATASET, tmp_path / "p")


def test_files_beside_the_datasets_are_passed_over(folder, tmp_path):
    for name in ("train.jsonl.gz", "notes.txt"):
        (folder / name).write_bytes(b"x")
    assert list(import_(folder, tmp_path / "p")) == [DATASET]
    with pytest.raises(SourceError, match=r"no records of notes\.txt"):
        import_(folder, tmp_path / "p", names=["notes.txt"])


@pytest.mark.parametrize("name", ["all", "combined", ".hidden", "a,b", "a b"])
def test_a_folder_that_cannot_be_a_dataset_is_named(tmp_path, name):
    write_side(tmp_path / "d", lines(record()), dataset=name)
    with pytest.raises(SourceError, match="cannot be the name of a dataset"):
        import_(tmp_path / "d", tmp_path / "p")


@pytest.mark.parametrize(("names", "said"), [(["x"], "no records of x"), (None, "train.jsonl.gz")])
def test_a_folder_without_records_says_what_was_looked_for(tmp_path, names, said):
    (tmp_path / "d").mkdir()
    with pytest.raises(SourceError, match=said):
        import_(tmp_path / "d", tmp_path / "p", names=names)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(SourceError, match="does not exist"):
        import_(tmp_path / "none", tmp_path / "p")


def test_only_the_datasets_asked_for_are_imported(folder, tmp_path):
    write_side(folder, lines(record(dataset="other")), dataset="other")
    assert list(import_(folder, tmp_path / "p", names=["other"])) == ["other"]
    assert not (tmp_path / "p" / DATASET).exists()


def test_the_salt_of_the_environment_hashes_the_names(tmp_path, monkeypatch):
    write_side(tmp_path / "d", lines(record(metadata={"actor": SECRET})))
    import_(tmp_path / "d", tmp_path / "p")
    monkeypatch.setenv("JEPA_RAY_ACTOR_SALT", "another")
    import_(tmp_path / "d", tmp_path / "q")
    actors = {read_window(str(tmp_path / p / DATASET)).fields["actor"] for p in "pq"}
    assert len(actors) == 2


def test_the_card_says_where_the_windows_come_from(folder, tmp_path):
    import_(folder, tmp_path / "p")
    card = (tmp_path / "p" / DATASET / "README.md").read_text()
    assert "imported from JSON records" in card
    assert "| windows | 40" in card
