"""Prepare at archive scale: CPU, throughput and memory of the whole command, against a floor.

The archive is made by `jepa-ray synth`. The floor is one process that decompresses and decodes what
the adapter needs, and writes nothing. Ours is `jepa-ray prepare` with all its processes, less the
same command on an archive of as many files with one record each (Ray's own start and tasks).

    python benchmarks/bench_prepare_scale.py [--dataset gharchive|enron_maildir] [--size 1GB]
                                             [--cpus 2] [--runs 3] [--data D] [--scaling]
"""

import argparse
import email.policy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from pathlib import Path

import psutil
from isal import igzip

from jepa_ray.adapters.github_event import chars, decode_lines
from jepa_ray.readers import InputStream, RawItem, codec_of, tar_members
from jepa_ray.synth import synthesize

CHUNK = 256 << 10


def floor_gharchive(root: Path) -> int:
    """Gunzip, cut at newlines, typed decode, lengths of all texts."""
    events = 0
    for path in sorted((root / "gharchive").glob("*.gz")):
        rest = b""
        with igzip.open(path, "rb") as stream:
            while piece := stream.read(CHUNK):
                end = piece.rfind(b"\n") + 1
                found = decode_lines(rest + piece[:end])
                rest = piece[end:]
                events += len([chars(event.payload) for event in found])
    return events


def floor_enron_maildir(root: Path) -> int:
    """Stream the tar, parse the headers. The library's `tarfile` would add 20 us a mail."""
    parse = BytesHeaderParser(policy=email.policy.compat32).parsebytes
    mails = 0
    (archive,) = (root / "enron/maildir").glob("*.tar.gz")
    with archive.open("rb") as raw:
        stream = InputStream(raw, codec=codec_of(archive.name))
        for member in tar_members(stream, max_member_bytes=1 << 30):
            if isinstance(member, RawItem):
                parse(member.data.partition(b"\n\n")[0])
                mails += 1
    return mails


FLOORS: dict[str, Callable[[Path], int]] = {
    "gharchive": floor_gharchive,
    "enron_maildir": floor_enron_maildir,
}


class Watch:
    """CPU seconds of a process with all below it, and the largest private memory of a worker."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cpu: dict[tuple[int, float], float] = {}
        self.worker_bytes = 0

    def look(self) -> None:
        """Take what can be seen now; a process that ended keeps what it had."""
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return
        for process in tree:
            try:
                times = process.cpu_times()
                self._cpu[process.pid, process.create_time()] = times.user + times.system
                if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::"):
                    self.worker_bytes = max(self.worker_bytes, anonymous(process.pid))
            except (psutil.Error, OSError):
                continue

    @property
    def cpu(self) -> float:
        """CPU seconds so far."""
        return sum(self._cpu.values())


def anonymous(pid: int) -> int:
    """Bytes of a process that are its own: not files, not the shared object store."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


@contextmanager
def watching(process: psutil.Popen) -> Iterator[Watch]:
    """Look at a process until the block ends."""
    watch, ended = Watch(process.pid), threading.Event()

    def loop() -> None:
        while not ended.wait(0.1):
            watch.look()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def ours(dataset: str, root: Path, cpus: int) -> tuple[float, float, int, int]:
    """CPU seconds, seconds of the work, worker bytes and windows of `jepa-ray prepare`."""
    with tempfile.TemporaryDirectory() as out:
        command = [
            sys.executable, "-m", "jepa_ray", "prepare", "--dataset", dataset, "--data-root", root,
            "--processed-dir", f"{out}/p", "--reports-dir", f"{out}/r", "--run-id", "bench",
            "--set", f"num_cpus={cpus}", "--json",
        ]  # fmt: skip
        process = psutil.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, range(cpus)),
        )  # fmt: skip
        with watching(process) as watch:
            text, _ = process.communicate()
        manifest = json.loads(text)["datasets"][dataset]
        size = sum(f.stat().st_size for f in Path(out).rglob("part-*.parquet"))
        print(f"  {manifest['windows']:,} windows, {size / manifest['windows']:.1f} bytes each")
        return watch.cpu, manifest["seconds"], watch.worker_bytes, manifest["windows"]


def floor(dataset: str, root: Path) -> float:
    """CPU seconds of the floor, in this process."""
    began = time.process_time()
    FLOORS[dataset](root)
    return time.process_time() - began


def of_one_record_each(dataset: str, root: Path, target: Path) -> Path:
    """An archive of as many files with one record each."""
    if dataset != "gharchive":
        synthesize(dataset, target, seed=1, records=1)
        return target
    synthesize(dataset, target / "one", seed=1, records=1)
    (one,) = (target / "one" / "gharchive").glob("*.gz")
    folder = target / "gharchive"
    folder.mkdir()
    for path in (root / "gharchive").glob("*.gz"):
        (folder / path.name).write_bytes(one.read_bytes())
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=sorted(FLOORS), default="gharchive")
    parser.add_argument("--size", default="1GB", help="of the made-up archive, expanded")
    parser.add_argument("--data", type=Path, help="a data root that is there already")
    parser.add_argument("--cpus", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scaling", action="store_true", help="also with one core")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = args.data or Path(folder) / "raw"
        if args.data is None:
            subprocess.run(
                [sys.executable, "-m", "jepa_ray", "synth", "--dataset", args.dataset,
                 "--size", args.size, "--output", root],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        empty = of_one_record_each(args.dataset, root, Path(folder) / "empty")
        ratios, seconds = [], []
        for _ in range(args.runs):
            base, start, _, _ = ours(args.dataset, empty, args.cpus)
            below = floor(args.dataset, root)
            cpu, took, worker, windows = ours(args.dataset, root, args.cpus)
            ratios.append((cpu - base) / below)
            seconds.append(took - start)
            print(
                f"floor {below:.1f} s CPU ({below / windows * 1e6:.2f} us a record), ours {cpu:.1f}"
                f" - {base:.1f} s, {ratios[-1]:.2f} x; {took:.1f} s; worker {worker / 1e6:.0f} MB"
            )
        print(f"ratio      {statistics.median(ratios):8.2f} x the floor")
        if args.scaling:
            alone = statistics.median(
                ours(args.dataset, root, 1)[1] - ours(args.dataset, empty, 1)[1]
                for _ in range(args.runs)
            )
            gain = alone / statistics.median(seconds)
            print(f"scaling    {gain:8.2f} x from 1 to {args.cpus} cores, Ray's start left out")


if __name__ == "__main__":
    main()
