"""A head of its own, with token authentication and a dashboard on loopback."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from jepa_ray.cluster import ENVIRONMENT

REPO = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Head:
    """A head, and commands that reach it."""

    gcs: str
    url: str
    environment: dict[str, str]

    def run(self, *args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "jepa_ray", *map(str, args)],
            capture_output=True, text=True, check=False, timeout=500, cwd=REPO,
            env=self.environment | environment,
        )  # fmt: skip

    def submit(self, *args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("submit", *args, "--address", self.url, "--json", **environment)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def start_head() -> Iterator[Head]:
    """A head of two CPUs for the length of the block."""
    folder = tempfile.mkdtemp(prefix="jrh", dir="/tmp")
    token = Path(folder) / "token"
    token.write_text(secrets.token_hex(16))
    token.chmod(0o600)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    environment = inherited | ENVIRONMENT | {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONPATH": str(REPO),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }  # fmt: skip
    gcs, dashboard, client, agent = free_ports(4)
    process = subprocess.Popen(
        [BIN / "ray", "start", "--head", "--block",
         f"--port={gcs}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
         f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}",
         "--num-cpus=2", f"--temp-dir={folder}/r",
         f"--object-store-memory={200 << 20}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        wait_for(dashboard)
        yield Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"no dashboard on port {port}")


def file(folder: Path, verb: str, /, **document: object) -> Path:
    path = folder / "job" / f"{verb}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path
