"""The main job's first stage on the real samples: the counts, and that nothing personal leaves."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from jepa_ray.adapters import adapters, catalogue, select
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.documents import card, empty_manifest
from jepa_ray.readers import RawItem, unpacked
from jepa_ray.synth import DATASETS, synthesize

pytestmark = [pytest.mark.ray, pytest.mark.realdata]

GRAM = 12
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Prepared:
    """A run of the command on a data root."""

    folder: Path
    log: str
    result: dict

    @property
    def manifests(self) -> list[dict]:
        return [json.loads(p.read_text()) for p in self.folder.rglob("manifest.json")]

    @property
    def text(self) -> bytes:
        """Everything it wrote, readable: files, reports, the text columns of Parquet, the log."""
        pieces = [self.log.encode(), json.dumps(self.result).encode()]
        for path in sorted(self.folder.rglob("*")):
            if path.suffix == ".parquet":
                table = pq.read_table(path).drop_columns(["runs"])
                pieces += [str(value).encode() for column in table for value in column.to_pylist()]
            elif path.is_file():
                pieces.append(path.read_bytes())
            pieces.append(path.name.encode())
        return b"\n".join(pieces)


def prepare(root: Path, out: Path) -> Prepared:
    found = subprocess.run(
        [sys.executable, "-m", "jepa_ray", "prepare", "--dataset", "all", "--data-root", root,
         "--processed-dir", out / "p", "--reports-dir", out / "r", "--run-id", "real", "--json"],
        capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    return Prepared(out, found.stderr, json.loads(found.stdout))


@pytest.fixture(scope="module")
def real(real_data, tmp_path_factory) -> Prepared:
    return prepare(real_data, tmp_path_factory.mktemp("real"))


def test_the_real_samples_give_the_known_counts(real):
    found = real.result["datasets"]
    assert found["enron_maildir"]["records"] == 35_464
    assert found["enron_maildir"]["quarantined"] == {"implausible_date": 36}
    assert all(m["skipped"] == {} for m in found.values())
    assert {name: m["windows"] for name, m in found.items()} == {
        "blocked_sources": 0,
        "calendar_ics_thunderbird": 4_881,
        "enron_cornell": 10_883,
        "enron_maildir": 35_428,
        "enron_snap": 367_662,
        "epa": 0,
        "gharchive": 11_351,
        "ms_latte": 60,
        "project_openproject": 5,
        "project_taiga": 83,
        "public_jira": 11_174,
        "smart_todo_coded": 24_070,
        "smart_todo_decoded_gated": 0,
    }


@pytest.mark.slow
def test_no_piece_of_raw_text_leaves(real, real_data, tmp_path):
    """No 12 characters of raw text occur in what prepare wrote, unless the program says them.

    What the program says by itself is no leak: the package's source, what the same command writes
    for made-up archives and for one archive alone (the real samples lack one source), and the paths
    of the sources. Nor are numbers and times, so at least four letters and at most two digits are
    asked for, and no border between two values.
    """
    for dataset in DATASETS:
        synthesize(dataset, tmp_path / "raw", seed=1, records=200)
    own = prepare(tmp_path / "raw", tmp_path / "out").text + b"\n".join(
        path.read_bytes() for path in Path(sys.modules["jepa_ray"].__file__).parent.rglob("*.py")
    )
    synthesize("ms_latte", tmp_path / "one", seed=1, records=5)
    own += prepare(tmp_path / "one", tmp_path / "others-missing").text
    own += json.dumps(catalogue(None)).encode() + empty_cards()
    own += b"".join(b" lies in the year %d" % digit for digit in range(10))
    sources = [s["path"] for m in real.manifests for s in m["sources"]]
    suspects = grams(real.text) - grams(own) - grams("\n".join(sources).encode())
    suspects = {g for g in suspects if re.search(rb"([A-Za-z].*){4}", g, re.DOTALL)}
    suspects = {g for g in suspects if len(re.findall(rb"\d", g)) <= 2}
    suspects = {g for g in suspects if not re.search(rb'["\n]', g)}
    assert suspects, "a search without suspects proves nothing"
    hashes = np.sort(np.array([_hashes(g)[0] for g in suspects], np.uint64))
    found = {
        piece
        for text in raw_texts(real_data)
        for piece in _pieces(text, np.isin(_hashes(text), hashes))
    }
    leaked = sorted(found & suspects)
    assert not leaked, leaked


def test_no_mailbox_name_leaves(real, real_data):
    written = real.text
    users = {
        item.name.split("/")[1]
        for item in unpacked(raw_items("enron_maildir", real_data))
        if item.name.count("/") > 1
    }
    assert len(users) == 15
    assert not [user for user in users if user.encode() in written]


def empty_cards() -> bytes:
    """The dataset cards of no data at all."""
    config = PrepareConfig()
    cards = [card(a, empty_manifest(a, config, "completed"), None) for a in adapters().values()]
    return "\n".join(cards).encode()


def raw_items(dataset: str, root: Path) -> Iterator[RawItem]:
    (adapter,) = (a(PrepareConfig()) for a in select([dataset]))
    for shard in adapter.shards(root):
        for file in shard.files:
            for block in adapter.blocks(file):
                yield from (item for item in block if isinstance(item, RawItem))


def raw_texts(root: Path) -> Iterator[bytes]:
    """All raw text, mails gathered into pieces of about a megabyte."""
    for dataset in adapters():
        gathered = b""
        for item in raw_items(dataset, root):
            gathered += item.data + b"\n"
            if len(gathered) > 1 << 20:
                yield gathered
                gathered = b""
        yield gathered


def grams(text: bytes) -> set[bytes]:
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(text, np.uint8), GRAM)
    keys = np.ascontiguousarray(windows).view(f"V{GRAM}").ravel()
    return {key.tobytes() for key in np.unique(keys)}


def _hashes(text: bytes) -> np.ndarray:
    """A 64-bit hash of each run of 12 bytes."""
    data = np.frombuffer(text, np.uint8).astype(np.uint64)
    n = max(len(data) - GRAM + 1, 0)
    total = np.zeros(n, np.uint64)
    for i in range(GRAM):
        total = total * _FACTOR + data[i : i + n]
    return total


def _pieces(text: bytes, hits: np.ndarray) -> set[bytes]:
    return {text[i : i + GRAM] for i in np.flatnonzero(hits)}
