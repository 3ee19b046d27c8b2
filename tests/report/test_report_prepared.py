"""One window of a prepared folder, by its uid; and what a wrong folder says."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from jepa_ray.errors import CorpusError
from jepa_ray.report import read_stats, read_window
from jepa_ray.windows import sparse_windows
from tests.prepared_corpus import JIRA, write_prepared


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(folder / "processed", folder / "raw")
    return folder / "processed" / JIRA


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(original, tmp_path / JIRA))


def parts(folder: Path) -> list[Path]:
    return sorted((folder / "windows").iterdir())


def test_a_window_is_found_by_its_uid_in_any_part(folder):
    for part in parts(folder):
        table = pq.read_table(part)
        row = len(table) // 2
        found = read_window(str(folder), table["window_uid"][row].as_py())
        assert found.fields["source_id"] == table["source_id"][row].as_py()
        expected = sparse_windows(table["runs"]).densify()[row]
        assert np.array_equal(found.dense, expected)


def test_without_a_uid_it_is_the_first_window(folder):
    first = pq.read_table(parts(folder)[0])["window_uid"][0].as_py()
    assert read_window(str(folder)).fields["window_uid"] == first


def test_the_fields_are_all_columns_but_the_runs(folder):
    fields = read_window(str(folder)).fields
    assert "runs" not in fields
    assert {"window_uid", "source_id", "window_start", "timed", "due"} <= set(fields)


def test_a_window_is_read_from_a_url(tmp_path):
    write_prepared("memory://report", tmp_path)
    assert read_window(f"memory://report/{JIRA}").dense.shape == (96, 16)


@pytest.mark.parametrize("uid", [0, 2**64 - 1])
def test_an_unknown_uid_is_named_with_the_way_out(folder, uid):
    with pytest.raises(CorpusError, match=rf"has no window_uid {uid}; leave it out"):
        read_window(str(folder), uid)


def test_the_statistics_are_those_of_the_folder(folder):
    assert read_stats(str(folder)) == json.loads((folder / "stats.json").read_text())


@pytest.mark.parametrize("read", [read_stats, read_window])
def test_a_folder_that_is_no_dataset_says_what_to_give(tmp_path, read):
    with pytest.raises(CorpusError, match=r"is not a prepared dataset.*<processed-dir>/<dataset>"):
        read(str(tmp_path))
    (tmp_path / "file").write_text("?")
    with pytest.raises(CorpusError, match="is not a prepared dataset"):
        read(str(tmp_path / "file"))


@pytest.mark.parametrize("read", [read_stats, read_window])
@pytest.mark.parametrize("text", ["{", "[]", "3", ""])
def test_a_manifest_that_is_none_is_named(folder, read, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(CorpusError, match=r"manifest\.json is not .*again"):
        read(str(folder))


@pytest.mark.parametrize("read", [read_stats, read_window])
@pytest.mark.parametrize("change", [{"status": "failed"}, {"status": "blocked", "parts": []}])
def test_a_dataset_without_windows_says_why(folder, read, change):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"reason": "too bad"} | change))
    with pytest.raises(CorpusError, match=rf"holds no windows: {change['status']}, too bad"):
        read(str(folder))


def test_missing_statistics_are_named(folder):
    (folder / "stats.json").unlink()
    with pytest.raises(CorpusError, match=r"stats\.json is missing"):
        read_stats(str(folder))


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"PAR1" + b"\xff" * 500 + b"PAR1"])
def test_a_damaged_part_is_named_with_the_way_out(folder, content):
    part = parts(folder)[0]
    part.unlink()
    if content is not None:
        part.write_bytes(content)
    with pytest.raises(CorpusError, match=rf"{part.name} is missing or damaged .*again"):
        read_window(str(folder))
