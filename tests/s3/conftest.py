"""A real S3 HTTP server on loopback: moto, from an environment of its own.

Its botocore is another one than s3fs needs. With JEPA_RAY_S3_ENDPOINT the tests run on the store
that answers there, and that knows the key `tester` (`make test-s3-real` starts Ceph's).
"""

import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import s3fs

from jepa_ray.storage.s3 import S3Store
from tests.s3.faulty_store import FaultyStore, faulty

_REPO = Path(__file__).resolve().parent.parent.parent
_SECRET = "canary-secret-key"


class S3:
    """A bucket of its own on the server, and commands that reach it by their environment alone."""

    def __init__(self, endpoint: str, bucket: str) -> None:
        self.url = f"s3://{bucket}"
        self.bucket = bucket
        self.environment = {
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.fs = s3fs.S3FileSystem(
            key="tester", secret=_SECRET, endpoint_url=endpoint, skip_instance_cache=True
        )
        self.fs.mkdir(bucket)

    def upload(self, folder: Path, prefix: str) -> None:
        """Put all files below a local folder under a prefix."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.fs.put_file(str(path), f"{self.bucket}/{prefix}/{path.relative_to(folder)}")

    def names(self) -> list[str]:
        """Keys of all objects of the bucket."""
        self.fs.invalidate_cache()
        return list(self.fs.find(self.bucket))

    def contents(self) -> dict[str, bytes]:
        """All objects of the bucket."""
        return {key: self.fs.cat_file(key) for key in self.names()}


def server_program() -> Path | None:
    """`moto_server`: JEPA_RAY_MOTO_SERVER, or the one that `make test` installs."""
    found = Path(os.environ.get("JEPA_RAY_MOTO_SERVER", _REPO / ".venv-s3/bin/moto_server"))
    return found if found.exists() else None


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    given = os.environ.get("JEPA_RAY_S3_ENDPOINT")
    if given:
        yield given
        return
    with serving() as endpoint:
        yield endpoint


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """A server for the length of the block; the test is skipped where there is none."""
    program = server_program()
    if program is None:
        pytest.skip("no S3 server: `make .venv-s3/.installed`, or JEPA_RAY_MOTO_SERVER names one")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the S3 server does not listen on port {port}")


@pytest.fixture
def s3(s3_endpoint: str) -> S3:
    """A new bucket."""
    return S3(s3_endpoint, f"bucket-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def store(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStore]:
    """The bucket behind a proxy that fails as it is told; this process reaches it."""
    with faulty(s3.environment["AWS_ENDPOINT_URL"]) as proxy:
        s3.environment["AWS_ENDPOINT_URL"] = proxy.endpoint
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        forget_clients()
        yield proxy
        forget_clients()


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets this process try a request so many times only."""

    def set_to(tries: int) -> None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", str(tries))
        forget_clients()

    return set_to


def forget_clients() -> None:
    """What is opened next looks at the environment anew."""
    s3fs.S3FileSystem.clear_instance_cache()
    S3Store.clear_instance_cache()
