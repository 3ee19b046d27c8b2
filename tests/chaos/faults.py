"""What is done to a command on its way, and what must come of it."""

import subprocess
import time
from collections.abc import Callable

from tests.chaos.cluster import Cluster

CUT_SECONDS = 90
STORE_SECONDS = 60

Process = subprocess.Popen[str]
Titles = tuple[str, ...]
Start = Callable[[], Process]


def kill_a_worker(cluster: Cluster, _: Process, titles: Titles) -> None:
    cluster.worker(*titles)[1].kill()


def kill_a_raylet(cluster: Cluster, _: Process, titles: Titles) -> None:
    cluster.kill_raylet(cluster.worker(*titles)[0])


def kill_the_driver(_: Cluster, process: Process, __: Titles) -> None:
    process.kill()


def cut_a_host_off(cluster: Cluster, _: Process, titles: Titles) -> None:
    host, _ = cluster.worker(*titles)
    cluster.hosts.cut(host)
    time.sleep(CUT_SECONDS)
    cluster.hosts.heal(host)


def _store(mode: str) -> Callable[[Cluster, Process, Titles], None]:
    def fault(cluster: Cluster, _: Process, __: Titles) -> None:
        cluster.store(mode)
        time.sleep(STORE_SECONDS)
        cluster.store("pass")

    return fault


FAULTS = {
    "a worker is killed": kill_a_worker,
    "a raylet is killed": kill_a_raylet,
    "the driver is killed": kill_the_driver,
    "a host is cut off": cut_a_host_off,
    "the store answers 503": _store("503"),
    "the store does not answer": _store("stall"),
    "the store drops connections": _store("drop"),
}


def end(process: Process, start: Start, *, seconds: float = 200) -> tuple[str, str]:
    """Wait for a command, and let it run again where it failed, once.

    Returns:
        Its stdout in the end, and what came out: for the record.
    """
    out, err = process.communicate(timeout=seconds)
    if process.returncode == 0:
        return out, "undisturbed"
    killed = process.returncode < 0
    if not killed:
        require_a_clear_failure(process.returncode, err)
    again = start()
    out, more = again.communicate(timeout=seconds)
    assert again.returncode == 0, err + more
    said = "killed" if killed else err.strip().splitlines()[-1]
    return out, f"completed by the same command; before: {said}"


def require_a_clear_failure(code: int, err: str) -> None:
    """One message of ours, and no traceback."""
    assert code in {1, 2}, err
    assert "Traceback" not in err, err
    said = [line for line in err.splitlines() if line.startswith("jepa-ray: ")]
    assert len(said) == 1, err
    assert err.strip().endswith(said[0]), err
