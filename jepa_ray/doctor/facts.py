"""What one node says of itself. Runs on the node; knows neither Ray nor torch."""

import os
import platform
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jepa_ray.cluster import ENVIRONMENT
from jepa_ray.errors import JepaRayError
from jepa_ray.storage import delete, exists, greet, join, require_writable, write_bytes

PACKAGES = ("jepa-ray", "ray", "torch", "pyarrow", "numpy")
"""What must be the same everywhere: data and functions travel between nodes in their formats."""
_CONNECT_SECONDS = 3.0


@dataclass(frozen=True)
class Facts:
    """One node.

    Attributes:
        node: Its address, or its name where there is no cluster.
        versions: Of Python and the packages; `absent` where one is not installed.
        cpus, gpus: As the node, or Ray, counts them.
        memory: Bytes that are available.
        object_store: Bytes of Ray's store; None where Ray does not run.
        shared_memory: Bytes of /dev/shm.
        disk: Free bytes where Ray spills.
        environment: Names of our variables that are not set, or otherwise.
        authentication: RAY_AUTH_MODE.
        open_token: The token's file, when others than its owner can read it.
        storage: Why the storage cannot be used from here; None: it can, or none was given.
    """

    node: str
    versions: dict[str, str]
    cpus: float
    gpus: float
    memory: int
    shared_memory: int
    disk: int
    authentication: str = ""
    object_store: int | None = None
    environment: tuple[str, ...] = ()
    open_token: str = ""
    storage: str | None = None


def gather(storage: str | None, marker: str | None) -> Facts:
    """Look at this node.

    Args:
        storage: Path or URL that has to be writable from here.
        marker: Name of a file that the doctor has put there, which has to be seen from here.
    """
    spill = os.environ.get("RAY_TMPDIR", tempfile.gettempdir())
    shm = Path("/dev/shm")  # noqa: S108 - looked at, not written to
    return Facts(
        node=socket.gethostname(),
        versions=versions(),
        cpus=os.cpu_count() or 0,
        gpus=len(list(Path("/proc/driver/nvidia/gpus").glob("*"))),
        memory=_available_memory(),
        shared_memory=shutil.disk_usage(shm).total if shm.exists() else 0,
        disk=shutil.disk_usage(spill).free,
        authentication=os.environ.get("RAY_AUTH_MODE", ""),
        environment=tuple(n for n, v in ENVIRONMENT.items() if os.environ.get(n) != v),
        open_token=_open_token(),
        storage=storage_fault(storage, marker) if storage else None,
    )


def versions() -> dict[str, str]:
    """Of Python and the packages that all nodes share."""
    return {"Python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def storage_fault(storage: str, marker: str | None) -> str | None:
    """Why a place cannot be written to, or is not the doctor's own; None: all is well."""
    try:
        greet(storage)
        require_writable(storage)
        if marker and not exists(join(storage, marker)):
            return f"{storage} is another folder here: a file that was just written is not in it"
    except JepaRayError as error:
        return str(error)
    return None


def put_marker(storage: str, name: str) -> None:
    """Write the file that all nodes have to see.

    Raises:
        UsageError, StageError: The place cannot be written to.
    """
    greet(storage)
    require_writable(storage)
    write_bytes(join(storage, name), b"")


def take_marker(storage: str, name: str) -> None:
    """Remove it."""
    delete(join(storage, name))


def unreachable(places: Iterable[tuple[str, int]]) -> list[str]:
    """Of some (host, port) those that take no TCP connection from here."""
    return [f"{host}:{port}" for host, port in places if not answers(host, port)]


def answers(host: str, port: int) -> bool:
    """Whether something takes TCP connections there."""
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def now() -> float:
    """Seconds since the epoch, by the clock of this node."""
    return time.time()


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def _open_token() -> str:
    given = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path = Path(given) if given else Path.home() / ".ray" / "auth_token"
    try:
        return str(path) if path.stat().st_mode & 0o077 else ""
    except OSError:
        return ""
