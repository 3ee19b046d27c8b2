"""The feed alone: windows a CPU second into dense batches, peak memory, and waiting beside a step.

The peer is the way of the reference run: a torch DataLoader over gzipped JSON lines with dense
tokens. Each measurement has a process of its own and one thread. The corpora: `small` and `large`
(one run a window), `days` (five runs), `pieces` (parts of 500 windows).

    python benchmarks/bench_train_feed.py [--windows N] [--small N] [--steps N] [--batch B]
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
import torch
from made_up_windows import DATASET, write_corpus
from torch.utils.data import DataLoader, IterableDataset

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import TrainFeed, densify, open_feed, prefetch

RATE, RATIO, WAIT, GROWTH = "500,000", 100, 0.02, 1.10
"""What is wanted."""
STEP_SECONDS = 0.02


def opened(folder: str, mode: str, batch: int) -> TrainFeed:
    split = SplitConfig(seed=1)
    return open_feed(folder, [DATASET], split, mode=mode, batch_size=batch, seed=2)


def measure_feed(folder: str, mode: str, batch: int, steps: int) -> dict[str, float]:
    """Open a feed and draw batches."""
    began = time.perf_counter()
    feed = opened(folder, mode, batch)
    seconds = time.perf_counter() - began
    densify(feed.batch(0).windows, "cpu")
    cpu = time.process_time()
    for step in range(1, steps + 1):
        densify(feed.batch(step).windows, "cpu")
    rate = steps * batch / (time.process_time() - cpu)
    return {"open": seconds, "rate": rate, "peak": peak_mb(), "windows": feed.windows}


def measure_wait(folder: str, mode: str, batch: int, steps: int) -> dict[str, float]:
    """The share of the time that steps of 20 ms, computed elsewhere, wait for their batch."""
    feed = opened(folder, mode, batch)
    made = prefetch(lambda step: densify(feed.batch(step).windows, "cpu"), range(steps + 1))
    next(made)
    began, waited = time.perf_counter(), 0.0
    for _, seconds in made:
        waited += seconds
        time.sleep(STEP_SECONDS)
    return {"share": waited / (time.perf_counter() - began)}


class Lines(IterableDataset):
    """Records of the reference form, in the order of the file."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __iter__(self) -> Iterator[torch.Tensor]:
        with gzip.open(self.file, "rt") as lines:
            for line in lines:
                yield torch.tensor(json.loads(line)["tokens"], dtype=torch.float32)


def measure_peer(file: str, batch: int) -> dict[str, float]:
    cpu, count = time.process_time(), 0
    for x in DataLoader(Lines(file), batch_size=batch):
        count += len(x)
    return {"rate": count / (time.process_time() - cpu)}


def write_lines(file: Path, count: int) -> None:
    """Dense tokens with 3 decimals, as the reference run has them."""
    rng = np.random.default_rng(0)
    with gzip.open(file, "wt") as out:
        for _ in range(count):
            tokens = [[round(s / 95, 3), round(s / 95, 3), *[0.0] * 14] for s in range(96)]
            active = tokens[rng.integers(96)]
            active[5] = active[6] = 1.0
            active[12], active[14] = round(rng.random(), 3), 0.9
            out.write(json.dumps({"dataset": DATASET, "tokens": tokens}) + "\n")


def peak_mb() -> float:
    """Peak resident memory of this process, mapped files included."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def apart(name: str, *given: object) -> dict[str, float]:
    """One of the measurements in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, *map(str, given)]
    threads = {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | threads)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def report(mode: str, corpus: str, found: dict[str, float], peer: float) -> None:
    print(
        f"{mode:9} {corpus:6} {found['windows']:9,} windows: {found['rate']:9,.0f} a CPU second "
        f"(wanted {RATE}), {found['rate'] / peer:5,.0f} x the peer (wanted {RATIO}), "
        f"peak {found['peak']:4,.0f} MB, open in {found['open']:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=5_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_corpus(folder / "small", args.small)
        write_corpus(folder / "large", args.windows)
        write_corpus(folder / "days", args.windows // 10, runs=5)
        write_corpus(folder / "pieces", args.windows // 25, part=500)
        write_lines(folder / "peer.jsonl.gz", 2000)
        peer = apart("peer", folder / "peer.jsonl.gz", args.batch)["rate"]
        print(f"peer: a DataLoader over JSON lines: {peer:,.0f} windows a CPU second")
        peaks: dict[tuple[str, str], float] = {}
        for mode in ("memory", "streaming"):
            for corpus in ("small", "large", "days", "pieces"):
                found = apart("feed", folder / corpus, mode, args.batch, args.steps)
                peaks[mode, corpus] = found["peak"]
                report(mode, corpus, found, peer)
            wait = apart("wait", folder / "large", mode, args.batch, min(args.steps, 1000))
            print(
                f"{mode:9} large: waits {wait['share']:.2%} of steps of 20 ms (wanted {WAIT:.0%})"
            )
    growth = peaks["streaming", "large"] / peaks["streaming", "small"]
    print(f"streaming, peak of large against small {growth:.3f} x (wanted {GROWTH})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measures = {"feed": measure_feed, "wait": measure_wait, "peer": measure_peer}
        name, *given = sys.argv[2:]
        print(json.dumps(measures[name](*(int(t) if t.isdigit() else t for t in given))))
    else:
        main()
