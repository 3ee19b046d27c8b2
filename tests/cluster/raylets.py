"""A Ray cluster of several raylets on this machine, in a process of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

import psutil

_SERVE = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={
    "metrics_export_port": int(sys.argv[2]), "_system_config": {"metrics_report_interval_ms": 300},
    "num_cpus": 1, "object_store_memory": 200 << 20, "include_dashboard": False,
    "temp_dir": sys.argv[1]})
nodes = [
    cluster.add_node(
        num_cpus=2, object_store_memory=200 << 20, metrics_export_port=int(sys.argv[i])
    )
    for i in (3, 4)
]
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for line in sys.stdin:
    if line.strip() == "kill":
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("killed", flush=True)
cluster.shutdown()
"""


@dataclass
class Raylets:
    """A head with one CPU and two nodes with two each; drivers find it by `RAY_ADDRESS`."""

    address: str
    process: subprocess.Popen[str]
    ports: list[int]

    def metrics(self) -> str:
        """What Prometheus would read from the nodes, the head first; a lost one says nothing."""
        return "".join(self._metrics(port) for port in self.ports)

    @staticmethod
    def _metrics(port: int) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def train_workers(self) -> list[psutil.Process]:
        """Processes that are workers of Ray Train here."""
        return [p for p in psutil.process_iter(["name"]) if self._trains(p)]

    def kill_node_of_a_worker(self) -> None:
        """End a raylet that has a worker of Ray Train, and is not the head's, without notice."""
        raylets = [worker.parent() for worker in self.train_workers()]
        others = [r for r in raylets if r and "--head" not in r.cmdline()]
        others[0].kill()

    def _trains(self, process: psutil.Process) -> bool:
        try:
            title = " ".join(process.cmdline())
            below = any(parent.pid == self.process.pid for parent in process.parents())
        except psutil.Error:
            return False
        return below and "RayTrainWorker" in title

    def kill_node(self) -> None:
        """End one raylet and all its workers, without notice."""
        assert self.process.stdin is not None
        self.process.stdin.write("kill\n")
        self.process.stdin.flush()
        assert _line(self.process.stdout) == "killed"


@contextmanager
def start_raylets(environment: Mapping[str, str] | None = None) -> Iterator[Raylets]:
    """A cluster for the length of the block; its workers have `environment` too."""
    with tempfile.TemporaryDirectory(prefix="jrc", dir="/tmp", ignore_cleanup_errors=True) as temp:
        ports = _free_ports(3)
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, temp, *map(str, ports)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | dict(environment or {}),
        )
        try:
            yield Raylets(_line(process.stdout), process, ports)
        finally:
            process.communicate(timeout=60)  # closes stdin: the cluster ends


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()
