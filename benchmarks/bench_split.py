"""Re-splitting a corpus: seconds for 5 million windows, against drawing a random permutation.

python benchmarks/bench_split.py [--windows N] [--runs R]
"""

import argparse
import statistics
import time

import numpy as np

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import SplitKeys, validation_mask

WANTED = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    uid = rng.integers(0, 2**64, args.windows, dtype=np.uint64)
    keys = SplitKeys(
        uid, rng.integers(0, 2**64, args.windows, dtype=np.uint64), uid.astype(np.int64) // 2**20
    )
    seconds: dict[str, list[float]] = {}
    for run in range(args.runs):
        for mode in ("random_resplit", "grouped", "temporal"):
            began = time.perf_counter()
            validation_mask("bench", keys, SplitConfig(mode=mode, seed=run))
            seconds.setdefault(mode, []).append(time.perf_counter() - began)
        began = time.perf_counter()
        np.random.default_rng(run).permutation(args.windows)
        seconds.setdefault("peer: permutation", []).append(time.perf_counter() - began)
    for name, found in seconds.items():
        print(f"{name:18} {statistics.median(found):7.3f} s for {args.windows:,} windows")
    pairs = zip(seconds["random_resplit"], seconds["peer: permutation"], strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"ratio random_resplit / permutation {ratio:.2f} x (wanted: under {WANTED:.0f} s)")


if __name__ == "__main__":
    main()
