"""A store that takes connections and requests, and then is silent: nothing waits for ever."""

import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest
from aiohttp import Payload

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


@contextmanager
def serving(answer: Callable[[BinaryIO, socket.socket, str, int], None]) -> Iterator[str]:
    """A server that answers as it is told: by path and length of body, a connection each."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # the block has ended
                return
            with connection, connection.makefile("rb") as file:
                request, length = file.readline().decode(), 0
                while (line := file.readline().lower()) not in (b"\r\n", b""):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                answer(file, connection, request.split(" ")[1], length)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "http://127.0.0.1:{1}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def client_of(endpoint: str, read_timeout: float) -> S3Store:
    return S3Store(
        key="tester",
        secret="x",
        endpoint_url=endpoint,
        skip_instance_cache=True,
        tries=1,
        config_kwargs={"read_timeout": read_timeout},
    )


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
END = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
DONE = b'HTTP/1.1 200 OK\r\nETag: "1"\r\n' + END


def test_an_upload_that_moves_is_waited_for():
    """Longer than one that stands still. What the socket takes at the end is on its way for 2 s."""
    taken: list[int] = []

    def slowly(file: BinaryIO, connection: socket.socket, _: str, length: int) -> None:
        connection.sendall(CONTINUE)
        while length:
            piece = file.read1(min(length, 1 << 20))
            length -= len(piece)
            taken.append(len(piece))
            time.sleep(len(piece) / 2e6)
        connection.sendall(DONE)

    with serving(slowly) as endpoint:
        client_of(endpoint, 3).pipe_file("bucket/a", bytes(16_000_000))
    assert sum(taken) == 16_000_000


def test_an_answer_that_takes_its_time_is_waited_for():
    """A store that joins parts says 200 at once, and blanks until it is done."""
    found = b"<R><Bucket>b</Bucket><Key>a</Key><ETag>1</ETag></R>"

    def haltingly(file: BinaryIO, connection: socket.socket, _: str, length: int) -> None:
        connection.sendall(CONTINUE)
        file.read(length)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        for _ in range(8):
            connection.sendall(b"1\r\n \r\n")
            time.sleep(0.4)
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(found), found))

    parts = {"Parts": [{"PartNumber": 1, "ETag": "1"}]}
    with serving(haltingly) as endpoint:
        asked = {"Bucket": "b", "Key": "a", "UploadId": "u", "MultipartUpload": parts}
        answer = client_of(endpoint, 1).call_s3("complete_multipart_upload", **asked)
    assert answer["Key"] == "a"


def test_an_upload_that_is_sent_elsewhere_arrives_there_whole():
    bodies: list[bytes] = []

    def elsewhere(file: BinaryIO, connection: socket.socket, path: str, length: int) -> None:
        connection.sendall(CONTINUE)
        bodies.append(file.read(length))
        moved = b"HTTP/1.1 307 Elsewhere\r\nLocation: /b/there\r\n"
        connection.sendall(DONE if path == "/b/there" else moved + END)

    with serving(elsewhere) as endpoint:
        client_of(endpoint, 5).pipe_file("b/here", b"1" * 100_000)
    assert bodies == [b"1" * 100_000] * 2


def test_what_was_sent_is_not_kept():
    """Tasks of aiohttp live on, and have a context of their own."""

    def take(file: BinaryIO, connection: socket.socket, _: str, length: int) -> None:
        connection.sendall(CONTINUE)
        file.read(length)
        connection.sendall(DONE)

    with serving(take) as endpoint:
        store = client_of(endpoint, 5)
        store.pipe_file("b/a", bytes(1_234_567))
        for _ in range(50):  # the client's thread is still about to let go of it
            if not kept(1_234_567):
                break
            time.sleep(0.1)
        assert not kept(1_234_567)


def kept(size: int) -> list[Payload]:
    gc.collect()
    return [p for p in gc.get_objects() if issubclass(type(p), Payload) and p.size == size]
