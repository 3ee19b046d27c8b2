"""The commands that are disturbed, and what they leave undisturbed."""

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
Rows = dict[str, list[dict]]


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
    """All windows, with all that is stored of them, in an order of their own."""
    return {
        name: sorted(
            (
                row
                for part in manifest["parts"]
                for row in pq.read_table(place(name, part["name"])).to_pylist()
            ),
            key=lambda row: (row["window_uid"], row["source_id"]),
        )
        for name, manifest in manifests.items()
    }


def weights(run: Path) -> dict[str, bytes]:
    """Of each checkpoint of a run, by its place in it."""
    places = sorted(run.glob("pass*/*/schedule_jepa.pt"))
    return {str(p.parent.relative_to(run)): bits(load_checkpoint(p).model) for p in places}
