"""Export and import: CPU seconds per record, ours against the straightforward way.

The straightforward way: dense windows as nested Python lists, `json` and `gzip` of the standard
library, one record after the other; and back by `json.loads`, NumPy and `sparsify`. Both ways do
the same windows in one process each, in turn.

    python benchmarks/bench_exchange.py [--processed P/DATASET] [--events N] [--runs R]
"""

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench_prepare_gharchive import one_hour

from jepa_ray.adapters import SourceFile
from jepa_ray.adapters.gharchive import GHArchive
from jepa_ray.config import ImportConfig, PrepareConfig, SplitConfig
from jepa_ray.exchange import import_records
from jepa_ray.exchange.export import export_records
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import process_block, raw_table
from jepa_ray.prepare.documents import empty_manifest, filled_manifest
from jepa_ray.storage import write_json
from jepa_ray.windows import concat, read_manifest, sparse_windows, sparsify

WANTED = {"export": 20.0, "import": 5.0}
SLICE = 2_000
"""Records that the straightforward way does: it is slow."""


def prepare(folder: Path, events: int) -> Path:
    """Made-up GH Archive events as a prepared dataset."""
    hour = one_hour(folder, events)
    config, target = PrepareConfig(), folder / "p" / "gharchive"
    adapter, file = GHArchive(config), SourceFile(hour, hour.name, hour.stat().st_size)
    accounts = []
    for block in adapter.blocks(file):
        rows = raw_table(0, 0, file.label, block)
        reports = process_block(adapter, rows, target=str(target), key="bench")
        accounts += [report.account for report in reports]
    account = Account.merge(accounts)
    manifest = filled_manifest(empty_manifest(GHArchive, config, "completed"), account, [], "x")
    write_json(target / "manifest.json", manifest)
    return target


def table_of(dataset: Path) -> pa.Table:
    """The first windows of a prepared dataset."""
    parts = read_manifest(str(dataset))["parts"]
    tables = [pq.read_table(dataset / "windows" / part["name"]) for part in parts]
    return pa.concat_tables(tables)[:SLICE]


def their_export(table: pa.Table, target: Path) -> int:
    """The straightforward way; one side is enough."""
    dense = sparse_windows(table["runs"]).densify()
    rows = table.drop_columns(["runs"]).to_pylist()
    with gzip.open(target, "wt") as out:
        for row, tokens in zip(rows, dense, strict=True):
            times = {k: row[k] and row[k].isoformat() for k in ("window_start", "window_end")}
            keys = {k: row[k] for k in ("source_id", "window_kind")}
            metadata = {k: row[k] for k in ("timed", "actor", "project", "category")}
            document = keys | times | {"tokens": tokens.tolist(), "metadata": metadata}
            out.write(json.dumps(document) + "\n")
    return len(rows)


def their_import(source: Path) -> int:
    """And back to sparse windows, without a table."""
    with gzip.open(source, "rt") as lines:
        dense = (np.array(json.loads(line)["tokens"], np.float32)[None] for line in lines)
        return len(concat(map(sparsify, dense)))


def micros(run: Callable[[], int]) -> float:
    """CPU microseconds per record of one run."""
    began = time.process_time()
    records = run()
    return (time.process_time() - began) / records * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processed", type=Path, help="a prepared dataset")
    parser.add_argument("--events", type=int, default=20_000, help="events to make without it")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = (args.processed or prepare(folder, args.events)).resolve()
        table, peer = table_of(dataset), folder / "peer.jsonl.gz"

        def ours_out() -> int:
            return export_records(
                str(dataset.parent),
                str(folder / "d"),
                names=[dataset.name],
                split=SplitConfig(),
                overwrite=True,
            ).records

        def ours_in() -> int:
            target = tempfile.mkdtemp(dir=folder)
            found = import_records(str(folder / "d"), target, config=ImportConfig())
            return sum(m["windows"] for m in found.manifests.values())

        report("export", ours_out, lambda: their_export(table, peer), args.runs)
        report("import", ours_in, lambda: their_import(peer), args.runs)


def report(what: str, ours: Callable[[], int], theirs: Callable[[], int], runs: int) -> None:
    """Run both in turn and print medians and the ratio."""
    pairs = [(micros(ours), micros(theirs)) for _ in range(runs)]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(t / o for o, t in pairs)
    print(f"{what} ours             {a:8.1f} us CPU a record ({1e6 / a:9,.0f} records a second)")
    print(f"{what} straightforward  {b:8.1f} us CPU a record ({1e6 / b:9,.0f} records a second)")
    wanted = f"wanted: {WANTED[what]:.0f} x"
    print(f"{what} ratio            {ratio:8.1f} x ({wanted}), median of {runs} paired runs")


if __name__ == "__main__":
    main()
