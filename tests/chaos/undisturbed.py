"""The commands that are disturbed, and what they leave undisturbed."""

import hashlib
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from jepa_ray.checkpoint import load_checkpoint
from tests.confirm.runs import flags
from tests.train.trainings import bits

NAMES = ("enron_maildir", "gharchive")
RECORDS = 12_000
LONG = {
    "train__steps": 600, "train__val_every": 300, "train__checkpoint.every": 100,
    "train__mixing": "interleaved",
    "train__max_failures": 20,  # a lost host is noticed late, and workers are placed on it
}  # fmt: skip
Rows = dict[str, tuple[int, str]]


def prepare_command(data_root: object, out: object) -> tuple[object, ...]:
    return (
        "prepare", "--dataset", ",".join(NAMES), "--data-root", data_root,
        "--processed-dir", f"{out}/p", "--reports-dir", f"{out}/r", "--run-id", "a", "--json",
        "--set", "raw_block_bytes=131072",
    )  # fmt: skip


def confirm_command(processed: object, storage: object) -> tuple[object, ...]:
    return (
        "confirm", "--processed-dir", processed, "--storage-path", storage, "--run-id", "a",
        "--seeds", "1,2", "--json", *flags(**LONG),
    )  # fmt: skip


def rows(manifests: dict[str, dict], place) -> Rows:
    """Of each dataset, how many windows there are, and a hash of all that is stored of them."""
    return {name: _digest(m["parts"], partial(place, name)) for name, m in manifests.items()}


def _digest(parts: list[dict], place) -> tuple[int, str]:
    found = [row for part in parts for row in pq.read_table(place(part["name"])).to_pylist()]
    found.sort(key=lambda row: (row["window_uid"], row["source_id"]))
    return len(found), hashlib.sha256(repr(found).encode()).hexdigest()


def weights(run: Path) -> dict[str, bytes]:
    """Of each checkpoint of a run, by its place in it."""
    places = sorted(run.glob("pass*/*/schedule_jepa.pt"))
    return {str(p.parent.relative_to(run)): bits(load_checkpoint(p).model) for p in places}
