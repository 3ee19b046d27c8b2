"""`actor_day` windowing of made-up activities: seconds, windows, and what a worker holds at most.

Nothing is read or parsed, so this is the shuffle and the combining alone.

.venv/bin/python benchmarks/bench_actor_day.py [MILLIONS OF ACTIVITIES]
"""

import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from jepa_ray.adapters import SourceFile, SourceInfo, adapters, file_shards
from jepa_ray.adapters.record_adapters import FileAdapter
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import prepare
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import STORED, ActivityBatch, Columns

PER_BLOCK = 50_000
BLOCKS_PER_FILE = 5


class MadeUp(FileAdapter):
    """Activities of 200,000 actors, some far busier than others, in one year."""

    info: ClassVar = SourceInfo("made_up", "code", "made_up/*.txt", "", "", "")
    version: ClassVar = 1
    kind: ClassVar = "made_up"

    def shards(self, root: Path) -> list:
        """Files that hold nothing."""
        return file_shards(root, (self.info.path,))

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Names of blocks."""
        for n in range(BLOCKS_PER_FILE):
            yield [RawItem(n, "", file.path.name.encode())]

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:  # noqa: ARG002
        """Activities that follow from the name of the block."""
        batches = []
        for item in items:
            rng = np.random.default_rng([item.number, *item.data])
            start = rng.integers(0, 365 * 86_400_000_000, PER_BLOCK)
            values = (rng.random((PER_BLOCK, len(STORED))) > 0.5).astype(np.float32)
            columns = Columns.instants(["x"] * PER_BLOCK, start, values, offset_minutes=0)
            columns.actor = (200_000 * rng.random(PER_BLOCK) ** 3).astype(np.uint64) + np.uint64(1)
            batches.append(ActivityBatch(self.kind, columns, records=PER_BLOCK))
        return ActivityBatch.join(self.kind, batches)


def watch(peaks: Counter, stop: threading.Event) -> None:
    """The largest memory of its own of each kind of Ray worker.

    Not USS: pages of the object store that only one worker has touched would count as its own.
    """
    while not stop.wait(0.2):
        found = dict(filter(None, map(_process, Path("/proc").glob("[0-9]*"))))
        for pid, (name, _, used) in found.items():
            above = pid
            while above in found and above != os.getpid():
                above = found[above][1]
            if above == os.getpid() and name.startswith("ray::"):
                peaks[name] = max(peaks[name], used)


def _process(folder: Path) -> tuple[int, tuple[str, int, int]] | None:
    """Number, name, number of the parent and bytes of its own; None where it just ended."""
    try:
        name = (folder / "cmdline").read_text().split("\0")[0].split(" ")[0]
        status = dict(re.findall(r"(\w+):\s+(\d+)", (folder / "status").read_text()))
    except OSError:
        return None
    return int(folder.name), (name, int(status["PPid"]), int(status.get("RssAnon", 0)) << 10)


def main() -> None:
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    adapters()["made_up"] = MadeUp
    peaks: Counter = Counter()
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "made_up").mkdir()
        for n in range(round(millions * 1e6 / PER_BLOCK / BLOCKS_PER_FILE)):
            (Path(folder) / "made_up" / f"{n:05d}.txt").write_text("x")
        watcher = threading.Thread(target=watch, args=(peaks, stop))
        watcher.start()
        began = time.monotonic()
        result = prepare(
            ["made_up"], data_root=folder, processed_dir=f"{folder}/p", reports_dir=f"{folder}/r",
            run_id="bench", config=PrepareConfig(
                windowing="actor_day", actor_day_partitions=max(1, round(millions * 8)), num_cpus=2
            ),
        )  # fmt: skip
        seconds = time.monotonic() - began
        stop.set()
        watcher.join()
    manifest = result.manifests["made_up_actor_day"]
    print(
        f"{manifest['activities']:,} activities, {manifest['windows']:,} windows: {seconds:.1f} s"
    )
    for name, used in peaks.most_common(6):
        print(f"{used / 2**20:8.0f} MiB at most in a worker of {name}")


if __name__ == "__main__":
    main()
