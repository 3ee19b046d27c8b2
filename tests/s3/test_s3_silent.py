"""A store that takes connections and requests, and then is silent: nothing waits for ever."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jepa_ray.errors import StageError
from jepa_ray.storage import s3 as client
from jepa_ray.storage import write_bytes
from jepa_ray.storage.s3 import S3Store
from tests.s3.conftest import S3, forget_clients

pytestmark = pytest.mark.s3
BRISK = {"read_timeout": 1}
PROXY = Path(__file__).parents[1] / "chaos" / "faulty_proxy.py"


@pytest.fixture
def turn(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """How the store in front of this process behaves from now on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    upstream = urlsplit(s3.environment["AWS_ENDPOINT_URL"]).port
    with socket.create_server(("127.0.0.1", 0)) as unused:
        program = [sys.executable, PROXY, "127.0.0.1", str(port), str(upstream)]
        process = subprocess.Popen(
            [*program, str(unused.fileno())],
            pass_fds=[unused.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turn(mode: str) -> None:
        process.stdin.write(f"{mode}\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == mode

    turn("pass")  # it listens
    for name, value in (s3.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}).items():
        monkeypatch.setenv(name, value)
    forget_clients()
    yield turn
    forget_clients()
    process.kill()
    process.communicate()


@pytest.mark.parametrize("size", [1, 30_000_000])
def test_an_upload_is_tried_again_until_the_store_speaks(s3, turn, size):
    fs = S3Store(config_kwargs=BRISK, skip_instance_cache=True)
    fs.ls(s3.bucket)  # its connection is stalled, too
    turn("stall")
    timer = threading.Timer(3, turn, ["pass"])
    timer.start()
    fs.pipe_file(f"{s3.bucket}/a", bytes(size))
    timer.join()
    assert s3.fs.info(f"{s3.bucket}/a")["size"] == size


def test_a_store_that_stays_silent_is_one_message(s3, turn, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(client, "_CONFIG", client._CONFIG | BRISK)
    turn("stall")
    with pytest.raises(StageError, match="did not answer in time, try after try; run the same"):
        write_bytes(f"{s3.url}/a", b"1")


def test_an_upload_that_moves_is_waited_for_however_slow():
    """Longer than one that stands still. What the socket takes at the end is on its way for 2 s."""
    taken: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        thread = threading.Thread(target=_take_slowly, args=(server, taken))
        thread.start()
        fs = S3Store(
            key="tester",
            secret="x",
            endpoint_url="http://127.0.0.1:{1}".format(*server.getsockname()),
            skip_instance_cache=True,
            tries=1,
            config_kwargs={"read_timeout": 3},
        )
        fs.pipe_file("bucket/a", bytes(16_000_000))
        thread.join()
    assert sum(taken) == 16_000_000


def _take_slowly(server: socket.socket, taken: list[int]) -> None:
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as file:
        left = 0
        while (line := file.readline().lower()) != b"\r\n":
            if line.startswith(b"content-length:"):
                left = int(line.partition(b":")[2])
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while left:
            piece = file.read1(min(left, 1 << 20))
            left -= len(piece)
            taken.append(len(piece))
            time.sleep(len(piece) / 2e6)
        connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n')
