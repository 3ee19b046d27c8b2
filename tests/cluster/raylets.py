"""A Ray cluster of several raylets on this machine, in a process of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

_SERVE = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={
    "metrics_export_port": int(sys.argv[2]), "_system_config": {"metrics_report_interval_ms": 300},
    "num_cpus": 1, "object_store_memory": 200 << 20, "include_dashboard": False,
    "temp_dir": sys.argv[1]})
nodes = [cluster.add_node(num_cpus=2, object_store_memory=200 << 20) for _ in range(2)]
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
    port: int

    def metrics(self) -> str:
        """What Prometheus would read from the head node."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            return answer.read().decode()

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
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, temp, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | dict(environment or {}),
        )
        try:
            yield Raylets(_line(process.stdout), process, port)
        finally:
            process.communicate(timeout=60)  # closes stdin: the cluster ends


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()
