"""What a tiny task costs its driver over 16 raylets, against the same over one.

python benchmarks/bench_driver_overhead.py [--raylets N] [--tasks T] [--blocks B] [--runs R]

The raylets are processes of this machine with made-up CPUs, as many of them on one raylet as on all
of the others together. CPU time is that of the driver's process; the least of the runs counts. The
wall clock also pays for raylets and workers, which share the cores here and would not in a cluster.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}

from jepa_ray.cluster import ENVIRONMENT

os.environ |= ENVIRONMENT
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"

import ray
import ray.data
from ray.cluster_utils import Cluster

WANTED = 2.0
_STORE_BYTES = 80 << 20


@dataclass(frozen=True)
class Cost:
    """Of one task, in microseconds."""

    cpu: float
    wall: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raylets", type=int, default=16)
    parser.add_argument("--tasks", type=int, default=4000, help="plain tasks a run")
    parser.add_argument("--blocks", type=int, default=400, help="tasks of Ray Data a run")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    found = {}
    for raylets in (1, args.raylets):
        found[raylets] = measured(raylets, args.raylets // raylets, args)
        for name, cost in found[raylets].items():
            print(
                f"{raylets:3} raylet(s), {name:9} {cost.cpu:8.0f} us of the driver's CPU a task, "
                f"{cost.wall:8.0f} us of wall clock",
                flush=True,
            )
    for name in found[1]:
        ratio = found[args.raylets][name].cpu / found[1][name].cpu
        wall = found[args.raylets][name].wall / found[1][name].wall
        print(
            f"ratio {name}, {args.raylets} raylets / 1: {ratio:.2f} x CPU (wanted: {WANTED:.0f}), "
            f"{wall:.2f} x wall clock"
        )


def measured(raylets: int, cpus: int, args: argparse.Namespace) -> dict[str, Cost]:
    """Costs on a cluster of so many raylets, which is ended again."""
    with tempfile.TemporaryDirectory(prefix="jrb", dir="/tmp", ignore_cleanup_errors=True) as temp:
        node = {"num_cpus": cpus, "object_store_memory": _STORE_BYTES}
        head = node | {"include_dashboard": False, "temp_dir": temp}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            for _ in range(raylets - 1):
                cluster.add_node(wait=False, **node)
            cluster.wait_for_nodes(timeout=300)
            ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
            return {
                "plain": least(args.runs, args.tasks, plain),
                "Ray Data": least(args.runs, args.blocks, blocks),
            }
        finally:
            ray.shutdown()
            cluster.shutdown()


def least(runs: int, tasks: int, work: Callable[[int], None]) -> Cost:
    """The least cost over some runs, after one that starts the workers."""
    work(tasks)
    costs = []
    for _ in range(runs):
        cpu, wall = time.process_time(), time.perf_counter()
        work(tasks)
        spent = (time.process_time() - cpu, time.perf_counter() - wall)
        costs.append(tuple(seconds / tasks * 1e6 for seconds in spent))
    return Cost(*(min(each) for each in zip(*costs, strict=True)))


def plain(tasks: int) -> None:
    """Tasks that do nothing, on any node."""
    task = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(lambda number: number)
    ray.get([task.remote(i) for i in range(tasks)])


def blocks(tasks: int) -> None:
    """A row a task, as the reports of `prepare` come back: one operator of Ray Data."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    rows = ray.data.range(tasks, override_num_blocks=tasks).map_batches(lambda batch: batch)
    for _ in rows.iter_batches(batch_size=None):
        pass


if __name__ == "__main__":
    main()
