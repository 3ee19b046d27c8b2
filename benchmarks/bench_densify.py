"""Densify: GH Archive windows per second and core into a preallocated [B, 96, 16] batch.

The peer copies the same windows out of one dense array that holds them all: the fastest a feed that
keeps dense windows in memory could be, at 88 times the memory.

    python benchmarks/bench_densify.py [--windows N] [--batch B] [--runs R]
"""

import argparse
import statistics
import time

import numpy as np

from jepa_ray.windows import FEATURE_COUNT, SLOTS, STORED, SparseWindows

WANTED = 500_000


def github_like(n: int) -> SparseWindows:
    """Windows of one slot each, as GH Archive events are."""
    rng = np.random.default_rng(0)
    slots = rng.integers(0, SLOTS, n).astype(np.uint8)
    values = np.zeros((n, len(STORED)), np.float32)
    values[:, [3, 4, 12]] = 1.0, 1.0, 0.9
    values[:, 10] = rng.random(n, np.float32)
    return SparseWindows(np.arange(n + 1), slots, slots, values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    windows = github_like(args.windows)
    dense = windows.densify()
    order = np.random.default_rng(1).permutation(args.windows)
    starts = range(0, args.windows - args.batch + 1, args.batch)
    batches = [order[start : start + args.batch] for start in starts]
    out = np.empty((args.batch, SLOTS, FEATURE_COUNT), np.float32)
    rates: list[tuple[float, float]] = []
    for _ in range(args.runs):
        began = time.process_time()
        for rows in batches:
            windows.take(rows).densify(out)
        middle = time.process_time()
        for rows in batches:
            np.take(dense, rows, axis=0, out=out)
        count = len(batches) * args.batch
        rates.append((count / (middle - began), count / (time.process_time() - middle)))
    a, b = (statistics.median(side) for side in zip(*rates, strict=True))
    print(f"ours (gather and densify)  {a:12,.0f} windows per CPU second (wanted: {WANTED:,})")
    print(f"copy of dense windows      {b:12,.0f} windows per CPU second")
    print(f"ratio                      {statistics.median(x / y for x, y in rates):12.2f} x")
    size = windows.nbytes / len(windows)
    print(f"bytes per window           {size:12.0f} against {dense[0].nbytes}")


if __name__ == "__main__":
    main()
