"""Three hosts with a raylet each, and a store, in a network of their own.

`host1` is the head and runs the commands; `host2` and `host3` have the CPUs; `store` runs moto
behind a proxy that fails on demand.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.hosts import Hosts
from jepa_ray.cluster import ENVIRONMENT
from tests.chaos.disks import Disk, mounted, unmount
from tests.s3.conftest import S3, server_program

REPO = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HEAD, WORKERS = "host1", ("host2", "host3")
_GCS_PORT, _MOTO_PORT, _STORE_PORT = 6379, 9000, 9001
# A lost host is noticed after half a minute instead of a whole one.
_HEALTH = {
    "RAY_health_check_initial_delay_ms": "5000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "5000",
    "RAY_health_check_failure_threshold": "5",
}


@dataclass
class Cluster:
    """The hosts, what runs on them, and a bucket for each test."""

    hosts: Hosts
    environment: dict[str, str]
    relay: str
    proxy: subprocess.Popen[str]
    rays: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def bucket(self) -> S3:
        """A new one, which this process reaches past the proxy."""
        return S3(self.relay, f"bucket-{uuid.uuid4().hex[:12]}")

    def start(self, *args: object, **environment: str) -> subprocess.Popen[str]:
        """`jepa-ray ARGS` on the head, as a user of the cluster."""
        return subprocess.Popen(
            self.hosts.inside(HEAD, sys.executable, "-m", "jepa_ray", *args),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
            env=self.environment | {"RAY_ADDRESS": self._gcs} | environment,
        )  # fmt: skip

    def store(self, mode: str) -> None:
        """Say how the store behaves from now on; see faulty_proxy."""
        assert self.proxy.stdin is not None
        assert self.proxy.stdout is not None
        self.proxy.stdin.write(f"{mode}\n")
        self.proxy.stdin.flush()
        assert self.proxy.stdout.readline().strip() == mode

    def processes(self, host: str, name: str) -> list[psutil.Process]:
        """Those of Ray on a host whose title or program holds a name."""
        found: list[psutil.Process] = []
        if self.rays[host].poll() is not None:
            return found
        for process in psutil.Process(self.rays[host].pid).children(recursive=True):
            try:
                found += [process] if name in " ".join(process.cmdline()) else []
            except psutil.Error:
                continue
        return found

    def kill_raylet(self, host: str) -> None:
        """End the raylet of a host without notice; its workers end with it."""
        for process in self.processes(host, "/raylet/raylet"):
            process.kill()

    def worker(self, *titles: str) -> tuple[str, psutil.Process]:
        """A process at work under one of some titles, once there is one, and its host."""
        for _ in range(400):
            for host in WORKERS:
                for process in (p for title in titles for p in self.processes(host, title)):
                    return host, process
            time.sleep(0.05)
        raise TimeoutError(f"no process {titles} appears")

    def mend(self) -> None:
        """Everything as at first, for the next test."""
        self.store("pass")
        for host in (HEAD, *WORKERS):
            self.hosts.heal(host)
        alive = self.nodes()  # not one that comes back, and learns that it was given up
        self.restart(*(host for host in WORKERS if not self._is_well(host, alive)))

    def restart(self, *hosts: str) -> None:
        """End Ray on some hosts, and start it again."""
        for host in hosts:
            self._stop_ray(host)
        self.wait_for_nodes(3 - len(hosts))
        for host in hosts:
            self._start_ray(host)
        self.wait_for_nodes(3)

    @contextmanager
    def small_disk(self, host: str) -> Iterator[Disk]:
        """Meanwhile a host has a disk of 64 MB for the files of Ray and all that is temporary."""
        self._stop_ray(host)
        self.wait_for_nodes(2)
        with mounted(self.hosts.folder / host, megabytes=64) as disk:
            try:
                self._start_ray(host)
                self.wait_for_nodes(3)
                yield disk
            finally:
                disk.clear()
                self._stop_ray(host)
        self._start_ray(host)

    def wait_for_nodes(self, count: int, seconds: float = 120) -> None:
        """Until so many are alive, no more and no less."""
        deadline = time.monotonic() + seconds
        while len(found := self.nodes()) != count:
            assert time.monotonic() < deadline, f"{found} are alive, not {count}\n{self._logs()}"
            time.sleep(1)

    def _logs(self) -> str:
        """How the commands that run Ray on the hosts ended, and their last lines."""
        ends = {host: process.poll() for host, process in self.rays.items()}
        texts = [(self.hosts.folder / f"{host}.log").read_text()[-800:] for host in ends]
        return "\n".join([str(ends), *texts])

    def nodes(self) -> list[str]:
        """Addresses of those that are alive, as the head says; none, where it does not answer."""
        code = (
            "from ray._raylet import GcsClient; import sys;"
            "nodes = GcsClient(address=sys.argv[1]).get_all_node_info().values();"
            "print(*(node.node_manager_address for node in nodes if node.state == 0))"
        )
        found = subprocess.run(
            self.hosts.inside(HEAD, sys.executable, "-c", code, self._gcs),
            capture_output=True, text=True, check=False, env=self.environment, timeout=60,
        )  # fmt: skip
        return found.stdout.split()

    @property
    def _gcs(self) -> str:
        return f"{self.hosts.address(HEAD)}:{_GCS_PORT}"

    def _is_well(self, host: str, alive: list[str]) -> bool:
        runs = self.rays[host].poll() is None and self.processes(host, "/raylet/raylet")
        return bool(runs) and self.hosts.address(host) in alive

    def start_rays(self) -> None:
        """The head, then the others."""
        self._start_head()
        for host in WORKERS:
            self._start_ray(host)
        self.wait_for_nodes(3)

    def _start_head(self, tries: int = 3) -> None:
        """Ray gives its head 30 s, which is not enough on a machine with much else to do."""
        for _ in range(tries):
            self._start_ray(HEAD)
            while self.rays[HEAD].poll() is None:
                if self.nodes():
                    return
                time.sleep(0.5)
        raise AssertionError(f"the head does not start\n{self._logs()}")

    def _start_ray(self, host: str) -> None:
        where = (
            ["--head", f"--port={_GCS_PORT}", "--include-dashboard=false", "--num-cpus=0"]
            if host == HEAD
            else [f"--address={self._gcs}", "--num-cpus=2"]
        )
        store = f"--object-store-memory={200 << 20}"
        log = (self.hosts.folder / f"{host}.log").open("ab")
        with log:
            self.rays[host] = subprocess.Popen(
                self.hosts.inside(host, BIN / "ray", "start", "--block", store, *where),
                stdout=log, stderr=log, env=self.environment | {"TMPDIR": "/tmp/ray"}, cwd="/",
            )  # fmt: skip

    def _stop_ray(self, host: str) -> None:
        process = self.rays[host]
        below = (
            psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        )
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _, left = psutil.wait_procs(below, timeout=10)
        for each in left:
            each.kill()


def _wait_for(found, said: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """All of it for the length of the block; nothing is left, whatever happens in it."""
    hosts = Hosts("jrchaos")
    for host in (HEAD, *WORKERS):  # of a run that was killed
        unmount(hosts.folder / host)
    hosts.down()
    with ExitStack() as stack:
        stack.callback(hosts.down)
        hosts.up(3)
        environment = _environment(hosts)
        relay, proxy = _start_store(hosts, stack)
        found = Cluster(hosts, environment, relay, proxy)
        stack.callback(_end, found)
        found.start_rays()
        yield found


def _end(found: Cluster) -> None:
    for host, process in found.rays.items():
        found.hosts.heal(host)
        process.send_signal(signal.SIGTERM)
    found.hosts.down()
    for process in found.rays.values():
        process.wait(timeout=30)


def _environment(hosts: Hosts) -> dict[str, str]:
    token = hosts.folder / "token"
    token.write_text(secrets.token_hex(16))
    token.chmod(0o600)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "AWS_"))}
    return (
        inherited
        | ENVIRONMENT
        | _HEALTH
        | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "PYTHONPATH": str(REPO),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "canary-secret-key",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{hosts.address('store')}:{_STORE_PORT}",
        }
    )


def _start_store(hosts: Hosts, stack: ExitStack) -> tuple[str, subprocess.Popen[str]]:
    """moto and its proxy; the address of this machine that leads to it, past all faults."""
    quiet = subprocess.DEVNULL
    moto = [server_program(), "-H", "127.0.0.1", "-p", _MOTO_PORT]
    server = subprocess.Popen(hosts.inside("store", *moto), stdout=quiet, stderr=quiet)
    stack.callback(server.wait)
    with socket.create_server(("127.0.0.1", 0)) as relay:
        port = relay.getsockname()[1]
        program = [sys.executable, REPO / "tests/chaos/faulty_proxy.py"]
        where = [hosts.address("store"), _STORE_PORT, _MOTO_PORT, relay.fileno()]
        proxy = subprocess.Popen(
            hosts.inside("store", *program, *where),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[relay.fileno()],
        )  # fmt: skip
    stack.enter_context(proxy)  # closes its pipes, and waits for it
    stack.callback(server.kill)
    stack.callback(proxy.kill)
    _wait_for(lambda: _answers(port), "the store does not answer")
    return f"http://127.0.0.1:{port}", proxy


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        try:
            probe.connect(("127.0.0.1", port))
            probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return bool(probe.recv(1))
        except OSError:
            return False
