"""`embed` against the bare encoder: `model.embed` on random tensors of the same batch size.

Made-up windows that nearly all differ, preset `reference`, fp32, one thread a worker. `here` is the
path in one process, in turns with the peer; `ray` is that on Ray Data, its peer as many bare
encoders at once as there are CPUs, since they share caches and memory. CPU seconds are those of the
workers; of wall clock, what a large corpus takes beyond a small one, so Ray's start is left out.

    python benchmarks/bench_embed.py [--windows N] [--small N] [--batch B] [--rounds R] [--per-slot]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch
from made_up_windows import write_corpus

from jepa_ray.checkpoint import save_checkpoint
from jepa_ray.cluster import session
from jepa_ray.config import EmbedConfig, TrainConfig
from jepa_ray.evaluate import embed_windows
from jepa_ray.model import ScheduleJEPA

WANTED, GROWTH = 0.90, 1.10
_ROUND_WINDOWS = 1 << 13
Found = dict[str, float]


def bare(model: ScheduleJEPA, batch: int, windows: int, *, per_slot: bool) -> float:
    """Windows a CPU second of the encoder alone."""
    x = torch.rand(batch, 96, 16)
    call = model.embed_slots if per_slot else model.embed
    cpu = time.process_time()
    with torch.inference_mode():
        for _ in range(windows // batch):
            call(x)
    return windows // batch * batch / (time.process_time() - cpu)


def measure_here(folder: str, batch: int, rounds: int, per_slot: int) -> Found:
    """Rates of both in turns, in one process, and its peak memory."""
    torch.set_num_threads(1)
    root = Path(folder)
    write_corpus(root / "round", _ROUND_WINDOWS)
    model = ScheduleJEPA(TrainConfig().model, seed=0)
    peer, ours = [], []
    for i in range(rounds + 1):
        peer.append(bare(model, batch, _ROUND_WINDOWS, per_slot=bool(per_slot)))
        cpu = time.process_time()
        embedded(root, "round", f"here{i}", batch, ray_from=1 << 62, per_slot=bool(per_slot))
        ours.append(_ROUND_WINDOWS / (time.process_time() - cpu))
    ratios = [a / b for a, b in zip(ours, peer, strict=True)][1:]
    return {
        "peer": max(peer[1:]),  # the best round is the one least disturbed
        "ours": max(ours[1:]),
        "ratio": max(ours[1:]) / max(peer[1:]),
        "median": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
    }


def measure_bare(batch: int, rounds: int, per_slot: int) -> Found:
    """The median round of the bare encoder in this process."""
    torch.set_num_threads(1)
    model = ScheduleJEPA(TrainConfig().model, seed=0)
    rates = [bare(model, batch, _ROUND_WINDOWS, per_slot=bool(per_slot)) for _ in range(rounds)]
    return {"peer": statistics.median(rates)}


def measure_peak(folder: str, name: str, batch: int, per_slot: int) -> Found:
    """Peak memory of one process that embeds a corpus."""
    embedded(Path(folder), name, f"peak-{name}", batch, ray_from=1 << 62, per_slot=bool(per_slot))
    return {"peak": peak_mb(os.getpid())}


def measure_ray(folder: str, small: int, large: int, batch: int, per_slot: int) -> Found:
    """What the large corpus takes beyond the small one, and peaks of the workers."""
    seconds, peaks, cpu = [], [], 0.0
    with session():
        for name in ("small", "small", "large"):
            began = time.monotonic()
            run = f"ray{len(seconds)}"
            with watched() as peak:
                cpu = embedded(Path(folder), name, run, batch, ray_from=0, per_slot=bool(per_slot))
            seconds.append(time.monotonic() - began)
            peaks.append(peak[0])
    return {
        "wall": (large - small) / (seconds[2] - seconds[1]),
        "cpu": large / cpu,
        "small_peak": peaks[1],
        "large_peak": peaks[2],
    }


def embedded(
    root: Path, corpus: str, name: str, batch: int, *, ray_from: int, per_slot: bool
) -> float:
    """Embed a corpus; the CPU seconds of its workers."""
    config = EmbedConfig(batch_size=batch, ray_from=ray_from, device="cpu")
    found = embed_windows(
        str(root), str(root / corpus), str(root / f"{name}.parquet"),
        per_slot=per_slot, config=config,
    )  # fmt: skip
    spent: float = found.document["cpu_seconds"]
    return spent


@contextmanager
def watched() -> Iterator[list[float]]:
    """The largest peak memory of Ray's workers in the block, in MB: they end with their dataset."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            peak[0] = max(peak[0], worker_peak())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def worker_peak() -> float:
    found = [0.0]
    for process in psutil.Process().children(recursive=True):
        try:
            title = " ".join(process.cmdline())
            if title.startswith("ray::"):
                found.append(peak_mb(process.pid))
        except (psutil.NoSuchProcess, FileNotFoundError):
            continue
    return max(found)


def peak_mb(pid: int) -> float:
    with Path(f"/proc/{pid}/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def apart(name: str, *given: object) -> Found:
    """One of the measurements in a process of its own."""
    return at_once(1, name, *given)[0]


def at_once(count: int, name: str, *given: object) -> list[Found]:
    """The same in several processes at a time."""
    command = [sys.executable, __file__, "--measure", name, *map(str, given)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(count)
    ]
    found = [json.loads(each.communicate()[0]) for each in running]
    if any(each.returncode for each in running):
        raise RuntimeError(f"a measurement of {name} failed")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=160_000)
    parser.add_argument("--small", type=int, default=1 << 15)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--per-slot", action="store_true")
    args = parser.parse_args()
    batch, slots = args.batch, int(args.per_slot)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        config = TrainConfig()
        model = ScheduleJEPA(config.model, seed=0)
        save_checkpoint(name, model, config, step=0, provenance={})
        write_corpus(root / "small", args.small)
        write_corpus(root / "large", args.windows)
        here = apart("here", name, batch, args.rounds, slots)
        print(
            f"the bare encoder, batches of {batch}: {here['peer']:,.0f} windows a CPU second\n"
            f"here: {here['ours']:,.0f} windows a CPU second, {here['ratio']:.2f} x the bare "
            f"encoder, best rounds (median {here['median']:.2f}, {here['low']:.2f} to "
            f"{here['high']:.2f}; wanted {WANTED})"
        )
        peaks = [apart("peak", name, c, batch, slots)["peak"] for c in ("small", "large")]
        print(f"here: peak {peaks[0]:,.0f} MB with {args.small:,} windows, {growth(*peaks, args)}")
        cpus = os.cpu_count() or 1
        before = at_once(cpus, "bare", batch, args.rounds, slots)
        found = apart("ray", name, args.small, args.windows, batch, slots)
        after = at_once(cpus, "bare", batch, args.rounds, slots)
        rates = [each["peer"] for each in before + after]
        peer = statistics.mean(rates)
        print(
            f"{cpus} bare encoders at once: {peer:,.0f} windows a CPU second each "
            f"({min(rates):,.0f} to {max(rates):,.0f}, before and after what follows)\n"
            f"ray: {found['cpu']:,.0f} windows a CPU second of its workers, "
            f"{found['cpu'] / peer:.2f} x; {found['wall']:,.0f} a second "
            f"of wall clock, {found['wall'] / peer / cpus:.2f} x\n"
            f"ray: peak of a worker {found['small_peak']:,.0f} MB with {args.small:,} windows, "
            f"{growth(found['small_peak'], found['large_peak'], args)}"
        )


def growth(small: float, large: float, args: argparse.Namespace) -> str:
    return f"{large:,.0f} MB with {args.windows:,}: {large / small:.2f} x (wanted {GROWTH})"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measures = {
            "here": measure_here, "peak": measure_peak, "bare": measure_bare, "ray": measure_ray,
        }  # fmt: skip
        name, *given = sys.argv[2:]
        print(json.dumps(measures[name](*(int(t) if t.isdigit() else t for t in given))))
    else:
        main()
