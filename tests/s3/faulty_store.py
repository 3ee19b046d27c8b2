"""A small HTTP proxy in front of a store, that fails on request: in one process, on loopback."""

import http.client
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

_ERROR = '<?xml version="1.0"?><Error><Code>{0}</Code><Message>{0}</Message>{1}</Error>'
DROP, CUT, HANG, LOSE_ANSWER = "drop", "cut", "hang", "lose the answer"
"""Close without a word; close in the middle of the body; say nothing; do it, and close then."""


class Answer(NamedTuple):
    """An error of the store: HTTP status, code, and what else its document says.

    Without a code that is the whole document.
    """

    status: int
    code: str
    more: str = ""


Fault = int | str | Answer
_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass
class FaultyStore:
    """What the proxy does, as a test says it.

    Attributes:
        endpoint: Of the proxy.
        target: Endpoint of the store behind it.
        requests: Method and path of all that came.
        hang_seconds: How long it says nothing.
    """

    endpoint: str
    target: str
    requests: list[str] = field(default_factory=list)
    hang_seconds: float = 2.0
    _planned: list[tuple[re.Pattern[str], deque[Fault]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, faults: list[Fault], on: str = "") -> None:
        """Let the next requests whose `METHOD /path` has this pattern fail, a fault each."""
        with self._lock:
            self._planned.append((re.compile(on), deque(faults)))

    def heal(self) -> None:
        """Let all go well from now on."""
        with self._lock:
            self._planned.clear()

    def planned(self) -> int:
        """Faults that no request has met yet."""
        return sum(len(faults) for _, faults in self._planned)

    def next_fault(self, request: str) -> Fault | None:
        with self._lock:
            self.requests.append(request)
            for pattern, faults in self._planned:
                if faults and pattern.search(request):
                    return faults.popleft()
        return None


@contextmanager
def faulty(target: str) -> Iterator[FaultyStore]:
    """A proxy in front of a store, for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    store = FaultyStore(f"http://127.0.0.1:{server.server_port}", target)
    server.store = store  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def _serve(self) -> None:
        store: FaultyStore = self.server.store  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = store.next_fault(f"{self.command} {self.path}")
        if fault == HANG:
            time.sleep(store.hang_seconds)
        if fault in (DROP, HANG):
            self.close_connection = True
            return
        if isinstance(fault, int):
            fault = Answer(fault, "SlowDown")
        if isinstance(fault, Answer):
            text = _ERROR.format(fault.code, fault.more) if fault.code else fault.more
            self._answer(fault.status, [("Content-Type", "text/html")], text.encode())
            return
        try:
            answer = self._forward(store.target, body)
        except (OSError, http.client.HTTPException):  # a client that was killed sent half of it
            answer = None
        if answer is None or fault == LOSE_ANSWER:
            self.close_connection = True
            return
        self._answer(*answer, cut=fault == CUT)

    def _forward(self, target: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        behind = http.client.HTTPConnection(urlsplit(target).netloc, timeout=60)
        try:
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    behind.putheader(name, value)
            behind.endheaders(body or None)
            found = behind.getresponse()
            return found.status, found.getheaders(), found.read()
        finally:
            behind.close()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        size = len(body)
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                size = int(value)
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: size // 2] if cut else body)
        self.close_connection = cut

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - names of the base class
