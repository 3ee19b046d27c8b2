"""A disk or store that fails: one message, nothing replaced, and the next run makes it good."""

import errno
import gzip
import random
from pathlib import Path

import fsspec
import pytest
from botocore.exceptions import EndpointConnectionError

from jepa_ray.config import ImportConfig, SplitConfig
from jepa_ray.errors import CorpusError, StageError
from jepa_ray.exchange import import_records
from jepa_ray.exchange.export import export_records
from jepa_ray.windows import read_manifest
from tests.exchange.flaky_store import FlakyStore, register
from tests.exchange.records import DATASET, lines, record, write_side
from tests.prepared_corpus import JIRA, write_prepared

SPLIT = SplitConfig(seed=3)
FAULTS = [
    OSError(errno.ECONNRESET, "Connection reset by peer"),
    TimeoutError(),
    EndpointConnectionError(endpoint_url="http://x"),
]


@pytest.fixture
def store():
    """A store that is well until a test says otherwise."""
    register()
    yield fsspec.filesystem("flaky")
    FlakyStore.fault = FlakyStore.no_put = None
    FlakyStore.store.clear()


def text(n: int = 2000) -> bytes:
    rng = random.Random(1)
    return lines(*(record(source_id=str(rng.random())) for _ in range(n)))


def import_(folder: str, processed: Path) -> dict:
    return import_records(folder, str(processed), config=ImportConfig()).manifests[DATASET]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("well", [0, 1])
def test_a_store_that_fails_is_not_the_end_of_a_file(store, tmp_path, fault, well):
    store.pipe_file(f"/in/{DATASET}/train.jsonl.gz", gzip.compress(text()))
    FlakyStore.fault, FlakyStore.well = fault, well
    with pytest.raises(StageError, match=r"flaky://in/colleague/train\.jsonl\.gz failed: .*again"):
        import_("flaky://in", tmp_path / "p")
    FlakyStore.fault = None
    manifest = import_("flaky://in", tmp_path / "p")
    assert (manifest["windows"], manifest["quarantined"]) == (2000, {})
    assert import_("flaky://in", tmp_path / "p")["unchanged"]


class FailingFile:
    """A local file on a disk that fails after some bytes."""

    def __init__(self, file, good: int) -> None:
        self._file, self._good = file, good

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        if self._file.tell() >= self._good:
            raise OSError(errno.EIO, "Input/output error")
        return self._file.read(size)

    def close(self) -> None:
        self._file.close()


def test_a_disk_that_fails_is_not_the_end_of_a_file(tmp_path, monkeypatch):
    write_side(tmp_path / "d", lines(record()))
    before = import_(str(tmp_path / "d"), tmp_path / "p")
    write_side(tmp_path / "d", text())
    opens = []
    local = fsspec.filesystem("file")
    real = type(local).open

    def once(self, path, *args, **kwargs):
        found = real(self, path, *args, **kwargs)
        opens.extend([path] if path.endswith("train.jsonl.gz") else [])
        return FailingFile(found, 32 << 10) if len(opens) == 2 else found

    monkeypatch.setattr(type(local), "open", once)
    with pytest.raises(StageError, match=r"train\.jsonl\.gz failed: Input/output error"):
        import_(str(tmp_path / "d"), tmp_path / "p")
    assert read_manifest(str(tmp_path / "p" / DATASET)) == {
        key: value for key, value in before.items() if key != "seconds"
    }
    assert import_(str(tmp_path / "d"), tmp_path / "p")["windows"] == 2000


def test_a_full_disk_is_one_message(tmp_path, monkeypatch):
    write_side(tmp_path / "d", text(5))

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("jepa_ray.exchange.intake.write_part", full)
    with pytest.raises(StageError, match=r"writing .* failed: No space left"):
        import_(str(tmp_path / "d"), tmp_path / "p")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: type(f).__name__)
def test_a_store_that_fails_while_windows_are_exported_is_no_damage_of_them(store, tmp_path, fault):
    write_prepared("flaky://p", tmp_path / "raw", records=8, files=1)
    FlakyStore.fault = fault  # of opened files; the keys of the split come in one get before
    with pytest.raises(StageError, match=r"windows/part-.* failed"):
        export_records("flaky://p", str(tmp_path / "d"), split=SPLIT)
    FlakyStore.fault = None
    assert export_records("flaky://p", str(tmp_path / "d"), split=SPLIT).records == 8


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: type(f).__name__)
def test_a_store_that_takes_no_file_is_one_message(store, tmp_path, fault):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=8)
    FlakyStore.no_put = fault
    with pytest.raises(StageError, match=r"writing flaky://d/public_jira failed: .*--overwrite"):
        export_records(str(tmp_path / "p"), "flaky://d", split=SPLIT)


def test_a_part_that_is_not_there_is_still_damage(tmp_path, monkeypatch):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=8, files=1)

    (part,) = (tmp_path / "p" / JIRA / "windows").iterdir()
    monkeypatch.setattr("jepa_ray.exchange.export.require_writable", lambda _: part.unlink())
    with pytest.raises(CorpusError, match="missing or damaged"):
        export_records(str(tmp_path / "p"), str(tmp_path / "d"), split=SPLIT)
