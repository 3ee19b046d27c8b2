"""Prepared folders -> a split corpus; and what a damaged one says."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import choose, load, prepared
from jepa_ray.errors import CorpusError
from tests.prepared_corpus import JIRA, issue_lines, write_prepared


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(folder / "processed", folder / "raw")
    return folder / "processed"


@pytest.fixture
def processed(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    shutil.copytree(original, tmp_path / "processed")
    return tmp_path / "processed"


def change(processed: Path, **keys: object) -> None:
    path = processed / JIRA / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def parts(processed: Path) -> list[Path]:
    return sorted((processed / JIRA / "windows").iterdir())


def refusal(processed: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        load(str(processed), [JIRA], SplitConfig())
    return str(caught.value)


def test_every_window_is_on_exactly_one_side(processed):
    (dataset,) = load(str(processed), [JIRA], SplitConfig()).datasets
    assert sorted([*dataset.train, *dataset.val]) == list(range(64))
    assert len(dataset.windows) == len(dataset.uid) == 64


def test_the_corpus_carries_the_fingerprints(processed):
    manifest = json.loads((processed / JIRA / "manifest.json").read_text())
    corpus = load(str(processed), [JIRA], SplitConfig())
    assert corpus.fingerprints == {JIRA: manifest["fingerprint"]}


def test_a_corpus_loads_from_a_url(tmp_path):
    write_prepared("memory://load", tmp_path)
    (dataset,) = load("memory://load", choose("memory://load", JIRA), SplitConfig()).datasets
    assert len(dataset.uid) == 64


@pytest.mark.parametrize("mode", ["random_resplit", "grouped", "temporal"])
def test_the_order_of_the_feed_does_not_depend_on_how_the_parts_were_cut(tmp_path, mode):
    lines, sides = issue_lines(80), []
    for name, cut, files in (("a", lines, 1), ("b", lines, 7), ("c", lines[::-1], 3)):
        write_prepared(tmp_path / name, tmp_path / f"raw-{name}", lines=cut, files=files)
        corpus = load(str(tmp_path / name), [JIRA], SplitConfig(mode=mode))
        sides.append([corpus.side(side).densify() for side in ("train", "val")])
    for other in sides[1:]:
        assert all(np.array_equal(x, y) for x, y in zip(sides[0], other, strict=True))


def test_where_nobody_is_known_the_project_is_the_group(processed):
    tables = [pq.read_table(part, columns=["window_uid", "project"]) for part in parts(processed)]
    project = {row["window_uid"]: row["project"] for table in tables for row in table.to_pylist()}
    (dataset,) = load(str(processed), [JIRA], SplitConfig(mode="grouped")).datasets
    train, val = (
        {project[uid] for uid in dataset.uid[rows]} for rows in (dataset.train, dataset.val)
    )
    assert len(train | val) == 5
    assert not train & val


def test_part_files_that_the_manifest_does_not_list_are_ignored(processed):
    first = parts(processed)[0]
    shutil.copy(first, first.with_name("part-from-a-killed-run.parquet"))
    (first.parent / ".tmp-garbage").write_bytes(b"half")
    (dataset,) = load(str(processed), [JIRA], SplitConfig()).datasets
    assert len(dataset.uid) == 64


def test_a_missing_manifest_is_named_with_the_way_out(processed):
    (processed / JIRA / "manifest.json").unlink()
    said = refusal(processed)
    assert f"{processed}/{JIRA}/manifest.json" in said
    assert "jepa-ray prepare" in said


def test_a_dataset_that_is_a_plain_file_is_not_prepared(processed):
    shutil.rmtree(processed / JIRA)
    (processed / JIRA).write_text("?")
    assert "manifest.json is missing" in refusal(processed)


@pytest.mark.parametrize("text", ["", "{", "\x00", "[]", "3", "null"])
def test_a_manifest_that_is_none_is_named_with_the_way_out(processed, text):
    (processed / JIRA / "manifest.json").write_text(text)
    said = refusal(processed)
    assert f"{processed}/{JIRA}/manifest.json" in said
    assert "again" in said


@pytest.mark.parametrize("key", ["parts", "fingerprint", "dataset"])
def test_a_manifest_that_lacks_a_key_says_which(processed, key):
    path = processed / JIRA / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest[key]
    path.write_text(json.dumps(manifest))
    assert f"missing required field `{key}`" in refusal(processed)


@pytest.mark.parametrize("status", ["missing", "failed", "blocked"])
def test_a_dataset_that_is_not_completed_says_why_and_what_to_do(processed, status):
    change(processed, status=status, reason="the moon was full")
    said = refusal(processed)
    assert f"{JIRA} is {status} (the moon was full)" in said
    assert "prepare it, or leave it out" in said


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_windows_of_another_contract_are_refused(processed, version):
    change(processed, contract_version=version)
    said = refusal(processed)
    assert f"contract {version}, this version reads 1" in said
    assert "again" in said


def test_a_missing_part_is_named_with_the_way_out(processed):
    gone = parts(processed)[1]
    gone.unlink()
    said = refusal(processed)
    assert f"{gone} is missing or damaged" in said
    assert f"prepare {JIRA} again" in said


@pytest.mark.parametrize("keep", [0, 3, 0.5, 0.95, -1])
def test_a_truncated_part_is_named(processed, keep):
    part = parts(processed)[1]
    data = part.read_bytes()
    part.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    assert f"{part} is missing or damaged" in refusal(processed)


def test_a_part_of_garbage_is_named(processed):
    part = parts(processed)[1]
    part.write_bytes(b"PAR1" + bytes(range(256)) * 4 + b"PAR1")
    assert f"{part} is missing or damaged" in refusal(processed)


def test_a_part_with_damaged_pages_is_named(processed):
    part = parts(processed)[1]
    data = bytearray(part.read_bytes())
    data[4:400] = b"\xff" * 396
    part.write_bytes(data)
    assert f"{part} is missing or damaged" in refusal(processed)


def test_a_part_of_another_form_is_named(processed):
    part = parts(processed)[1]
    pq.write_table(pa.table({"x": [1, 2]}), part)
    assert f"{part} is missing or damaged" in refusal(processed)


def test_a_part_with_too_few_windows_is_named_with_both_counts(processed):
    part = parts(processed)[1]
    table = pq.read_table(part)
    pq.write_table(table.slice(1), part)
    said = refusal(processed)
    assert f"{part} has {len(table) - 1} windows, its manifest says {len(table)}" in said


def test_a_manifest_without_parts_has_nothing_to_train_on(processed):
    change(processed, parts=[])
    assert "no windows" in refusal(processed)


def test_only_completed_datasets_with_windows_count_as_prepared(processed):
    (processed / "a-file").write_text("?")
    (processed / "a-folder").mkdir()
    write_prepared(processed, processed.parent / "raw", "gharchive", records=20)
    found = prepared(str(processed))
    assert list(found) == ["gharchive", JIRA]
    assert found["gharchive"] == 20
    change(processed, windows=0)
    assert prepared(str(processed)) == {"gharchive": 20}


def test_combined_stands_for_all_that_is_prepared(processed):
    assert choose(str(processed), "combined") == [JIRA]


def test_names_are_taken_once_each_and_their_order_does_not_matter(processed):
    write_prepared(processed, processed.parent / "raw", "gharchive", records=20)
    assert choose(str(processed), f"{JIRA}, gharchive,{JIRA}") == ["gharchive", JIRA]


def test_a_dataset_that_is_not_prepared_is_named_with_those_that_are(processed):
    with pytest.raises(CorpusError, match=rf"dataset .nosuch. is not prepared.*combined, {JIRA}"):
        choose(str(processed), f"{JIRA},nosuch")


@pytest.mark.parametrize("name", ["", ",", " "])
def test_no_name_at_all_is_refused(processed, name):
    with pytest.raises(CorpusError, match="is not prepared"):
        choose(str(processed), name)


def test_an_empty_processed_folder_says_what_to_run(tmp_path):
    with pytest.raises(CorpusError, match="jepa-ray prepare"):
        choose(str(tmp_path / "nothing"), "combined")
