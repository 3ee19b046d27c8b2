"""What makes a prepared dataset count as unchanged."""

import os
from pathlib import Path
from typing import ClassVar

import pytest
from upath import UPath

from jepa_ray.adapters import Adapter, SourceFile, adapters
from jepa_ray.config import IcsConfig, PrepareConfig
from jepa_ray.prepare import fingerprint
from jepa_ray.prepare.fingerprint import (
    dataset_fingerprint,
    file_fingerprint,
    looked_at,
    shard_key,
)
from tests.prepared_corpus import JIRA

LARGE = fingerprint.WHOLE_BYTES + 1


def source(path: Path) -> SourceFile:
    return SourceFile(path, "public_jira/x.jsonl", path.stat().st_size if path.is_file() else 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"one\ntwo\n")
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A sparse file that is too large to be read whole."""
    path = tmp_path / "large.tar.gz"
    with path.open("wb") as raw:
        raw.truncate(LARGE)
    os.utime(path, ns=(1, 1))
    return path


def test_the_same_content_elsewhere_and_later_has_the_same_fingerprint(file, tmp_path):
    before = file_fingerprint(source(file))
    other = tmp_path / "moved"
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(1, 1))
    assert file_fingerprint(source(other)) == before


@pytest.mark.parametrize("content", [b"one\ntwo", b"one\ntwO\n", b""])
def test_another_content_has_another_fingerprint(file, content):
    before = file_fingerprint(source(file))
    file.write_bytes(content)
    assert file_fingerprint(source(file)) != before


def test_a_large_file_is_recognised_by_size_time_and_samples(large):
    before = file_fingerprint(source(large))
    assert file_fingerprint(source(large)) == before
    os.utime(large, ns=(2, 2))
    assert file_fingerprint(source(large)) != before


@pytest.mark.parametrize("at", [0, LARGE - 1])
def test_a_large_file_that_changed_at_an_end_is_noticed_in_spite_of_its_time(large, at):
    before = file_fingerprint(source(large))
    with large.open("r+b") as raw:
        raw.seek(at)
        raw.write(b"x")
    os.utime(large, ns=(1, 1))
    assert file_fingerprint(source(large)) != before


def test_a_folder_changes_with_the_names_sizes_and_times_of_its_files(tmp_path):
    folder = tmp_path / "maildir"
    (folder / "inbox").mkdir(parents=True)
    (folder / "inbox" / "1.").write_bytes(b"a")
    os.utime(folder / "inbox" / "1.", ns=(1, 1))
    seen = {file_fingerprint(source(folder))}
    (folder / "inbox" / "2.").write_bytes(b"b")
    seen.add(file_fingerprint(source(folder)))
    (folder / "inbox" / "2.").rename(folder / "inbox" / "3.")
    seen.add(file_fingerprint(source(folder)))
    os.utime(folder / "inbox" / "1.", ns=(2, 2))
    seen.add(file_fingerprint(source(folder)))
    assert len(seen) == 4


def test_a_folder_with_a_name_that_is_not_utf_8_has_a_fingerprint(tmp_path):
    (tmp_path / os.fsdecode(b"m\xff")).write_bytes(b"a")
    assert len(file_fingerprint(source(tmp_path))) == 32


def of_dataset(
    file: Path,
    adapter: type[Adapter] | None = None,
    config: PrepareConfig | None = None,
    mark: str = "m",
) -> str:
    adapter = adapter or adapters()[JIRA]
    return dataset_fingerprint(adapter, config or PrepareConfig(), [(source(file), mark)])


@pytest.mark.parametrize(
    "config",
    [
        PrepareConfig(actor_salt="other"),
        PrepareConfig(max_record_bytes=1024),
        PrepareConfig(ics=IcsConfig(max_occurrences=3)),
    ],
)
def test_a_setting_that_changes_windows_changes_the_fingerprint(file, config):
    assert of_dataset(file, config=config) != of_dataset(file)


@pytest.mark.parametrize(
    "config",
    [
        PrepareConfig(raw_block_bytes=4096),
        PrepareConfig(num_cpus=1),
        PrepareConfig(max_bad_fraction=1),
    ],
)
def test_a_setting_that_only_cuts_the_work_changes_nothing(file, config):
    assert of_dataset(file, config=config) == of_dataset(file)


def test_another_version_of_the_adapter_changes_the_fingerprint(file):
    class Newer(adapters()[JIRA]):
        version: ClassVar = 99

    assert of_dataset(file, Newer) != of_dataset(file)


def test_another_dataset_source_or_number_of_sources_changes_the_fingerprint(file):
    config = PrepareConfig()
    base = of_dataset(file)
    assert of_dataset(file, adapters()["gharchive"]) != base
    assert of_dataset(file, mark="other") != base
    assert dataset_fingerprint(adapters()[JIRA], config, [(source(file), "m")] * 2) != base


def test_a_shard_is_named_by_the_content_of_its_files(file):
    adapter, config = adapters()[JIRA], PrepareConfig()
    one, other = [(source(file), "m")], [(source(file), "n")]
    assert shard_key(adapter, config, one) == shard_key(adapter, config, list(one))
    assert shard_key(adapter, config, one) != shard_key(adapter, config, other)
    assert len(shard_key(adapter, config, one)) == 16


def test_a_file_in_a_store_is_asked_for_once(monkeypatch):
    """A store takes milliseconds to answer, and there may be a million files."""
    path = UPath("memory://asked/x.jsonl")
    path.write_bytes(b"one\n")
    asked: list[str] = []
    for name in ("info", "ls", "find", "exists", "isdir", "isfile"):
        real = getattr(path.fs, name)
        monkeypatch.setattr(
            path.fs, name, lambda *a, _n=name, _r=real, **k: (asked.append(_n), _r(*a, **k))[1]
        )
    [(state, mark)] = looked_at([SourceFile(path, "x.jsonl", 4)])
    assert state == mark
    assert asked == ["info"]


def test_a_folder_in_a_store_has_another_fingerprint_when_a_file_changes():
    folder = UPath("memory://folder/tree")
    (folder / "a").write_bytes(b"one")
    before = file_fingerprint(SourceFile(folder, "tree", 0))
    assert file_fingerprint(SourceFile(folder, "tree", 0)) == before
    (folder / "deep").mkdir()
    (folder / "deep" / "b").write_bytes(b"two")
    assert file_fingerprint(SourceFile(folder, "tree", 0)) != before
