"""The feed alone: windows a CPU second into dense batches, peak memory, and waiting beside a step.

The corpora are made up: GH Archive events, and days of five runs, written by the project's own
writer in parts as prepare writes them. The peer is the way of the reference run: a torch DataLoader
over gzipped JSON lines with dense tokens. Every measurement runs in a process of its own, on one
core.

    python benchmarks/bench_train_feed.py [--windows N] [--small N] [--peer N] [--batch B]
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

SLOTS, FEATURES, PART = 96, 16, 1 << 16
DATASET = "gharchive"
WANTED_RATE, WANTED_RATIO, WANTED_WAIT = 500_000, 100, 0.02
STEP_SECONDS = 0.02


def write_corpus(folder: Path, windows: int, *, runs: int = 1, part: int = PART) -> None:
    """A prepared dataset of made-up windows, `runs` slots each, in parts of `part`."""
    from jepa_ray.windows import CONTRACT_VERSION, Part, write_part

    rng, parts = np.random.default_rng(0), list[Part]()
    table = part_table(rng, min(part, windows), runs)
    for start in range(0, windows, part):
        piece = table.slice(0, min(part, windows - start))
        uids = pa.array(rng.integers(0, 2**64, len(piece), dtype=np.uint64))
        piece = piece.set_column(0, piece.schema.field(0), uids)
        parts.append(write_part(str(folder / DATASET), f"part-{start:010d}.parquet", piece))
    manifest = {
        "contract_version": CONTRACT_VERSION, "dataset": DATASET, "status": "completed",
        "reason": None, "records": windows, "windows": windows, "expanded": 0,
        "distinct_windows": windows, "skipped": {}, "quarantined": {}, "quarantine": [],
        "fingerprint": "made-up", "parts": [p._asdict() if hasattr(p, "_asdict") else vars(p) for p in parts],
    }  # fmt: skip
    (folder / DATASET / "manifest.json").write_text(json.dumps(manifest))


def part_table(rng: np.random.Generator, n: int, runs: int) -> pa.Table:
    """Rows of `WINDOW_SCHEMA`: events of one actor each, an hour a part."""
    from jepa_ray.windows import STORED, WINDOW_SCHEMA, SparseWindows
    from jepa_ray.windows.table import runs_array

    first = np.sort(rng.permuted(np.tile(np.arange(SLOTS), (n, 1)), axis=1)[:, :runs], axis=1)
    slots = first.astype(np.uint8).ravel()
    values = np.zeros((n * runs, len(STORED)), np.float32)
    values[:, [3, 4, 12]] = 1.0, 1.0, 0.9
    values[:, 10] = rng.integers(0, 5001, n * runs).astype(np.float32) / 5000
    windows = SparseWindows(np.arange(n + 1) * runs, slots, slots, values)
    moments = pa.array(1_700_000_000_000_000 + np.sort(rng.integers(0, 3_600_000_000, n)))
    moments = moments.cast(pa.timestamp("us"))
    hashes = [pa.array(rng.integers(1, 2**64, n, dtype=np.uint64)) for _ in range(3)]
    columns = [
        hashes[0], pa.array([str(50_000_000_000 + i) for i in range(n)]),
        pa.array(["code_event"] * n), moments, moments, pa.array(np.zeros(n, np.int16)),
        pa.array(np.ones(n, np.bool_)), pa.nulls(n, pa.timestamp("us")), *hashes[1:],
        pa.array(["PushEvent"] * n), pa.array(["{}"] * n), runs_array(windows),
    ]  # fmt: skip
    return pa.table(columns, schema=WINDOW_SCHEMA)


def measure_feed(folder: str, mode: str, batch: int, steps: int) -> dict[str, float]:
    """Open a feed and draw batches, all on one core."""
    from jepa_ray.config import SplitConfig
    from jepa_ray.corpus import densify, open_feed

    began = time.perf_counter()
    feed = open_feed(folder, [DATASET], SplitConfig(seed=1), mode=mode, batch_size=batch, seed=2)
    opened = time.perf_counter()
    densify(feed.batch(0).windows, "cpu")
    cpu = time.process_time()
    for step in range(1, steps + 1):
        densify(feed.batch(step).windows, "cpu")
    cpu = time.process_time() - cpu
    return {
        "open_seconds": opened - began,
        "first_seconds": time.perf_counter() - opened - cpu,
        "rate": steps * batch / cpu,
        "peak_mb": peak_mb(),
        "windows": feed.windows,
    }


def measure_wait(folder: str, mode: str, batch: int, steps: int) -> dict[str, float]:
    """Beside a step that takes 20 ms of a GPU: the share of the time that it waits."""
    from jepa_ray.config import SplitConfig
    from jepa_ray.corpus import densify, open_feed, prefetch

    feed = open_feed(folder, [DATASET], SplitConfig(seed=1), mode=mode, batch_size=batch, seed=2)
    made = prefetch(lambda step: densify(feed.batch(step).windows, "cpu"), range(steps + 1))
    next(made)
    began, waited = time.perf_counter(), 0.0
    for _, seconds in made:
        waited += seconds
        time.sleep(STEP_SECONDS)
    return {"share": waited / (time.perf_counter() - began)}


def measure_peer(file: str, batch: int) -> dict[str, float]:
    """The reference way: one process that reads the lines in order."""
    import torch
    from torch.utils.data import DataLoader, IterableDataset

    class Lines(IterableDataset):
        def __iter__(self) -> Iterator[torch.Tensor]:
            with gzip.open(file, "rt") as lines:
                for line in lines:
                    yield torch.tensor(json.loads(line)["tokens"], dtype=torch.float32)

    cpu, count = time.process_time(), 0
    for x in DataLoader(Lines(), batch_size=batch):
        count += len(x)
    return {"rate": count / (time.process_time() - cpu), "peak_mb": peak_mb()}


def write_lines(file: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    with gzip.open(file, "wt") as out:
        for _ in range(count):
            tokens = [[round(s / 95, 3), round(s / 95, 3), *[0.0] * 14] for s in range(SLOTS)]
            tokens[rng.integers(SLOTS)][5:] = [
                1,
                1,
                0,
                0,
                0,
                0,
                0,
                round(rng.random(), 3),
                0,
                0.9,
                0,
            ]
            out.write(json.dumps({"dataset": DATASET, "tokens": tokens}) + "\n")


def peak_mb() -> float:
    """Peak resident memory of this process, files that it maps included."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def apart(name: str, *args: object) -> dict[str, float]:
    """One of the measurements in a process of its own, pinned to one core."""
    command = [sys.executable, __file__, "--measure", name, *map(str, args)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(text.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=5_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--peer", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_corpus(folder / "small", args.small)
        write_corpus(folder / "large", args.windows)
        write_corpus(folder / "days", args.small * 5, runs=5)
        write_corpus(folder / "pieces", args.small * 2, part=500)
        write_lines(folder / "peer.jsonl.gz", args.peer)
        peer = apart("peer", folder / "peer.jsonl.gz", args.batch)
        print(f"peer: DataLoader over JSON lines     {peer['rate']:12,.0f} windows a CPU second")
        report(folder, args.batch, peer["rate"])


def report(folder: Path, batch: int, peer: float) -> None:
    peaks: dict[tuple[str, str], float] = {}
    for mode in ("memory", "streaming"):
        for corpus in ("small", "large", "days", "pieces"):
            # More than one epoch of the small ones, four fifths of one of the large one.
            found = apart("feed", folder / corpus, mode, batch, 8000)
            peaks[mode, corpus] = found["peak_mb"]
            print(
                f"{mode:9} {corpus:6} {found['windows']:12,.0f} windows {found['rate']:12,.0f} a CPU "
                f"second (wanted {WANTED_RATE:,}), {found['rate'] / peer:6,.0f} x the peer (wanted "
                f"{WANTED_RATIO}), peak {found['peak_mb']:5,.0f} MB, opened in "
                f"{found['open_seconds']:.2f} s"
            )
        wait = apart("wait", folder / "large", mode, batch, 1200)["share"]
        print(f"{mode:9} large  waits {wait:.2%} beside steps of 20 ms (wanted {WANTED_WAIT:.0%})")
    growth = peaks["streaming", "large"] / peaks["streaming", "small"]
    print(f"peak of streaming, large against small {growth:.3f} x (wanted 1.10)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        what, *given = sys.argv[2:]
        numbers = [int(text) if text.isdigit() else text for text in given]
        measures = {"feed": measure_feed, "wait": measure_wait, "peer": measure_peer}
        print(json.dumps(measures[what](*numbers)))
    else:
        main()
