"""The stage as the tests call it, and small sources for it."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import PrepareResult, prepare

RECORDS = 300


def run(
    raw: Path | str, out: Path | str, names: Sequence[str], run_id: str = "a", **settings: object
) -> PrepareResult:
    """Prepare below `out`."""
    return prepare(
        list(names),
        data_root=raw,
        processed_dir=f"{out}/p",
        reports_dir=f"{out}/r",
        run_id=run_id,
        config=PrepareConfig(**settings),
    )


def uids(out: Path, dataset: str) -> list[int]:
    """The uids of all windows, sorted."""
    manifest = json.loads((out / "p" / dataset / "manifest.json").read_text())
    parts = [out / "p" / dataset / "windows" / p["name"] for p in manifest["parts"]]
    return sorted(u for p in parts for u in pq.read_table(p)["window_uid"].to_pylist())


def bad_jira(root: Path, good: int, bad: int) -> None:
    """Normalised issues, some lines broken."""
    folder = root / "public_jira"
    folder.mkdir(parents=True)
    lines = [
        json.dumps({"id": f"J:{i}", "created": "2014-05-02T10:11:12", "summary": "x"})
        for i in range(good)
    ]
    lines += ["{broken"] * bad
    (folder / "x.normalized.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
