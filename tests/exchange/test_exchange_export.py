"""Export: the sides of the split as JSON lines, whole or not at all."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from jepa_ray.config import PrepareConfig, SplitConfig
from jepa_ray.corpus import load
from jepa_ray.errors import CorpusError, UsageError
from jepa_ray.exchange.export import ExportResult, export_records
from jepa_ray.storage import write_json
from jepa_ray.windows import sparsify
from tests.prepared_corpus import JIRA, write_prepared

SPLIT = SplitConfig(seed=3)
BLOCKED = "blocked_sources"


@pytest.fixture
def processed(tmp_path: Path) -> str:
    write_prepared(tmp_path / "p", tmp_path / "raw", records=64)
    return str(tmp_path / "p")


def export(processed: str, output: Path, **kwargs) -> ExportResult:
    return export_records(processed, str(output), **({"split": SPLIT} | kwargs))


def records(output: Path, side: str, dataset: str = JIRA) -> list[dict]:
    with gzip.open(output / dataset / f"{side}.jsonl.gz") as file:
        return [json.loads(line) for line in file]


def write_status(processed: str, dataset: str, status: str) -> None:
    manifest = write_prepared(processed, Path(processed).parent / dataset, records=2)
    folder = Path(processed) / dataset
    folder.mkdir()
    changes = {"dataset": dataset, "status": status, "reason": "why", "windows": 0, "parts": []}
    write_json(folder / "manifest.json", manifest | changes)


@pytest.mark.parametrize("mode", ["random_resplit", "grouped", "temporal"])
def test_the_sides_are_those_that_training_sees(processed, tmp_path, mode):
    split = SplitConfig(mode=mode, seed=3)
    export(processed, tmp_path / "d", split=split)
    (dataset,) = load(processed, [JIRA], split).datasets
    for side in ("train", "val"):
        dense = np.array([r["tokens"] for r in records(tmp_path / "d", side)], np.float32)
        ours = dataset.windows.take(getattr(dataset, side))
        assert sorted(sparsify(dense).fingerprints()) == sorted(ours.fingerprints())


def test_both_sides_together_are_all_windows_in_their_order(processed, tmp_path):
    result = export(processed, tmp_path / "d")
    counts = result.datasets[JIRA]
    found = [records(tmp_path / "d", side) for side in ("train", "val")]
    assert [len(side) for side in found] == [counts.train, counts.val]
    assert counts.train + counts.val == result.records == 64
    for side in found:
        ids = [int(r["source_id"].rpartition(":")[2]) for r in side]
        assert ids == sorted(ids)


def test_another_seed_gives_other_sides(processed, tmp_path):
    export(processed, tmp_path / "a")
    export(processed, tmp_path / "b", split=SplitConfig(seed=4))
    ids = [{r["source_id"] for r in records(tmp_path / d, "val")} for d in "ab"]
    assert ids[0] != ids[1]


def test_the_same_export_gives_the_same_bytes(processed, tmp_path):
    for name in "ab":
        export(processed, tmp_path / name)
    for file in ("train.jsonl.gz", "val.jsonl.gz", "export.json"):
        assert (tmp_path / "a" / JIRA / file).read_bytes() == (
            tmp_path / "b" / JIRA / file
        ).read_bytes()


def test_how_windows_were_cut_into_parts_does_not_show(tmp_path, monkeypatch):
    for name, files in (("a", 1), ("b", 7)):
        write_prepared(tmp_path / name / "p", tmp_path / name / "raw", records=64, files=files)
        export(str(tmp_path / name / "p"), tmp_path / name / "d")
        monkeypatch.setattr("jepa_ray.exchange.export._BATCH", 5)
    for file in ("train.jsonl.gz", "val.jsonl.gz"):
        assert (tmp_path / "a/d" / JIRA / file).read_bytes() == (
            tmp_path / "b/d" / JIRA / file
        ).read_bytes()


def test_a_dataset_without_windows_is_listed_and_not_written(processed, tmp_path):
    for status in ("blocked", "missing", "failed", "completed"):
        write_status(processed, f"a_{status}_one", status)
    found = export(processed, tmp_path / "d").datasets
    assert {name: d.status for name, d in found.items()} == {
        JIRA: "exported", "a_blocked_one": "blocked", "a_missing_one": "missing",
        "a_failed_one": "failed", "a_completed_one": "empty",
    }  # fmt: skip
    assert found["a_blocked_one"].reason == "why"
    assert [p.name for p in (tmp_path / "d").iterdir()] == [JIRA]


def test_a_dataset_of_one_window_has_an_empty_validation_side(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=1)
    export(str(tmp_path / "p"), tmp_path / "d")
    assert len(records(tmp_path / "d", "train")) == 1
    assert records(tmp_path / "d", "val") == []


def test_the_account_names_the_split_and_the_files(processed, tmp_path):
    export(processed, tmp_path / "d")
    found = json.loads((tmp_path / "d" / JIRA / "export.json").read_text())
    assert found["split"] == SPLIT.model_dump(mode="json")
    assert found["dataset"] == JIRA
    assert found["val"]["bytes"] == (tmp_path / "d" / JIRA / "val.jsonl.gz").stat().st_size
    assert found["train"]["records"] + found["val"]["records"] == 64


def test_an_export_that_is_there_is_kept_unless_it_may_be_replaced(processed, tmp_path):
    export(processed, tmp_path / "d")
    before = (tmp_path / "d" / JIRA / "train.jsonl.gz").read_bytes()
    other = SplitConfig(seed=9)
    with pytest.raises(UsageError, match=f"export of {JIRA}.*--overwrite"):
        export(processed, tmp_path / "d", split=other)
    assert (tmp_path / "d" / JIRA / "train.jsonl.gz").read_bytes() == before
    export(processed, tmp_path / "d", split=other, overwrite=True)
    assert (tmp_path / "d" / JIRA / "train.jsonl.gz").read_bytes() != before


def test_plain_files_of_another_export_do_not_stay_beside_the_new_ones(processed, tmp_path):
    (tmp_path / "d" / JIRA).mkdir(parents=True)
    (tmp_path / "d" / JIRA / "train.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match="--overwrite"):
        export(processed, tmp_path / "d")
    export(processed, tmp_path / "d", overwrite=True)
    assert not (tmp_path / "d" / JIRA / "train.jsonl").exists()


def test_a_failure_leaves_no_half_of_an_export(processed, tmp_path):
    part = max((Path(processed) / JIRA / "windows").iterdir())
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(CorpusError, match=f"{part.name} is missing or damaged"):
        export(processed, tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_break_in_the_middle_leaves_nothing_behind(processed, tmp_path):
    def stop(_dataset: str, _records: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(processed, tmp_path / "d", progress=stop)
    assert list((tmp_path / "d" / JIRA).iterdir()) == []


def test_a_dataset_that_cannot_be_split_stops_before_anything_is_written(processed, tmp_path):
    alone = [b'{"id": "L:%d", "key": "P-1", "created": "2020-01-01T00:00:00"}' % i for i in (1, 2)]
    write_prepared(tmp_path / "q", tmp_path / "raw2", lines=alone, files=1)
    with pytest.raises(CorpusError, match="grouped"):
        export(str(tmp_path / "q"), tmp_path / "d", split=SplitConfig(mode="grouped"))
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [(["gharchive"], "'gharchive' is not prepared"), (None, "no prepared dataset")],
)
def test_what_is_not_prepared_is_named(tmp_path, names, said):
    (tmp_path / "p" / "begun").mkdir(parents=True)
    with pytest.raises(CorpusError, match=said):
        export(str(tmp_path / "p"), tmp_path / "d", names=names)


def test_a_manifest_of_another_contract_is_refused(processed, tmp_path):
    path = Path(processed) / JIRA / "manifest.json"
    path.write_text(path.read_text().replace('"contract_version": 1', '"contract_version": 2'))
    with pytest.raises(CorpusError, match="contract 2"):
        export(processed, tmp_path / "d")


@pytest.mark.parametrize("written", ["p", "./p/", "d/../p", "link", "{}/p", "file://{}/p"])
def test_the_prepared_folder_itself_is_no_place_for_an_export(
    processed, tmp_path, monkeypatch, written
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("p")
    with pytest.raises(UsageError, match="another --output"):
        export_records(processed, written.format(tmp_path), split=SPLIT, overwrite=True)


def test_a_folder_of_a_store_is_told_from_others_however_it_is_written(tmp_path):
    write_prepared("memory://same/p", tmp_path / "raw", records=2)
    with pytest.raises(UsageError, match="another --output"):
        export_records("memory://same/p", "memory:///same/p/", split=SPLIT)


def test_windows_can_come_from_and_go_to_an_object_store(tmp_path):
    write_prepared("memory://exchange/p", tmp_path / "raw", records=8, config=PrepareConfig())
    result = export_records("memory://exchange/p", "memory://exchange/d", split=SPLIT)
    assert result.records == 8
    again = export_records("memory://exchange/p", str(tmp_path / "d"), split=SPLIT)
    assert again.datasets == result.datasets
