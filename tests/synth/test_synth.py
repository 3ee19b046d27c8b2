import gzip
from pathlib import Path

import pytest

from jepa_ray.adapters import select
from jepa_ray.errors import SourceError
from jepa_ray.synth import DATASETS, synthesize


def contents(root: Path) -> dict[str, bytes]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_every_dataset_that_can_be_trained_on_can_be_made_up():
    assert set(DATASETS) == {a.info.dataset for a in select(["all"]) if a.info.trainable}


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_same_seed_gives_the_same_bytes_in_another_folder(dataset, tmp_path):
    for folder in ("one", "two"):
        synthesize(dataset, tmp_path / folder, seed=5, records=300)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("dataset", DATASETS)
def test_another_seed_gives_other_bytes(dataset, tmp_path):
    for seed in (5, 6):
        synthesize(dataset, tmp_path / str(seed), seed=seed, records=300)
    assert contents(tmp_path / "5") != contents(tmp_path / "6")


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_second_run_replaces_its_files_and_leaves_no_partial_one(dataset, tmp_path):
    for _ in range(2):
        assert synthesize(dataset, tmp_path, seed=0, records=1) == 1
    assert not [name for name in contents(tmp_path) if "partial" in name]


def test_gzip_headers_hold_neither_time_nor_name(tmp_path):
    synthesize("gharchive", tmp_path, seed=1, records=10)
    header = (tmp_path / "gharchive" / "2015-03-02-0.json.gz").read_bytes()[:10]
    assert header[3] == 0
    assert header[4:8] == bytes(4)


def test_a_failed_write_leaves_the_older_file_alone(tmp_path, monkeypatch):
    synthesize("public_jira", tmp_path, seed=1, records=20)
    before = contents(tmp_path)
    monkeypatch.setattr(gzip.GzipFile, "write", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        synthesize("public_jira", tmp_path, seed=2, records=20)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        ({"dataset": "gharchiv", "seed": 0, "records": 1}, "allowed are calendar_ics_thunderbird"),
        ({"dataset": "gharchive", "seed": 0, "records": 0}, "1 or more"),
        ({"dataset": "gharchive", "seed": -1, "records": 1}, "negative"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_is_allowed(arguments, detail, tmp_path):
    with pytest.raises(SourceError, match=detail):
        synthesize(arguments.pop("dataset"), tmp_path, **arguments)
