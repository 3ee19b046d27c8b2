"""GH Archive, parse and write: CPU seconds per window, ours against the reference way.

Both read the same gzipped hours in one process each, in turn; Ray's start-up is not part of it.
The hours are made by jepa_ray.synth, or taken from --data (a folder of *.json.gz).

    python benchmarks/bench_prepare_gharchive.py [--data D] [--events N] [--runs R]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import reference_gharchive

from jepa_ray.adapters import SourceFile
from jepa_ray.adapters.gharchive import GHArchive
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.block import process_block, raw_table
from jepa_ray.synth import synthesize

WANTED = 20.0


def ours(files: list[Path], target: Path) -> int:
    """What the tasks of `jepa-ray prepare` do, without Ray between them."""
    adapter = GHArchive(PrepareConfig())
    windows = 0
    for i, path in enumerate(files):
        file = SourceFile(path, path.name, path.stat().st_size)
        for block in adapter.blocks(file):
            table = raw_table(i, 0, file.label, block)
            reports = process_block(adapter, table, target=str(target), key="bench")
            windows += sum(report.account.windows for report in reports)
    return windows


def theirs(files: list[Path], target: Path) -> int:
    """The reference way over the same files."""
    target.mkdir(exist_ok=True)
    return sum(reference_gharchive.prepare(f, target / f"{f.stem}.jsonl.gz") for f in files)


def cpu_per_window(run: Callable[[list[Path], Path], int], files: list[Path]) -> float:
    """CPU microseconds per window of one run into a fresh folder."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        windows = run(files, Path(folder) / "out")
        return (time.process_time() - began) / windows * 1e6


def one_hour(folder: Path, events: int) -> Path:
    """Made-up events in one file of real size: gzip members in a row are one stream."""
    synthesize("gharchive", folder, seed=1, records=events)
    hours = sorted((folder / "gharchive").glob("*.json.gz"))
    whole = folder / "2015-03-02-0.json.gz"
    whole.write_bytes(b"".join(hour.read_bytes() for hour in hours))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of *.json.gz hours")
    parser.add_argument("--events", type=int, default=20_000, help="events to make without --data")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.data is None:
            files = [one_hour(Path(folder), args.events)]
        else:
            files = sorted(args.data.glob("*.json.gz"))
        pairs = [
            (cpu_per_window(ours, files), cpu_per_window(theirs, files)) for _ in range(args.runs)
        ]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(t / o for o, t in pairs)
    print(f"ours       {a:8.1f} us CPU per window ({1e6 / a:9,.0f} windows per CPU second)")
    print(f"reference  {b:8.1f} us CPU per window ({1e6 / b:9,.0f} windows per CPU second)")
    print(f"ratio      {ratio:8.1f} x (wanted: {WANTED:.0f} x), median of {args.runs} paired runs")


if __name__ == "__main__":
    main()
