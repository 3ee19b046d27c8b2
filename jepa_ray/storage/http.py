"""The HTTP session of the S3 client: an upload that stands still is given up, and tried again.

aiohttp counts the time to an answer from the end of what it writes. Before that, it waits for ever
for a store that takes the connection and then is silent: for the `100 Continue` that precedes each
upload, and for room in the socket. Downloads have aiohttp's own limit, between any two reads.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from aiohttp import TraceConfig
from botocore.exceptions import ReadTimeoutError

_PIECE = 1 << 18
_READ_TIMEOUT = 20.0  # where somebody's settings have none


class _Upload:
    """What is sent, and when something of it last moved."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._moved: float | None = None  # None: it waits for a connection

    def note(self) -> None:
        """Something moved."""
        self._moved = asyncio.get_running_loop().time()

    def left(self, patience: float) -> float:
        """Seconds until it has stood still for too long."""
        if self._moved is None:
            return patience
        return self._moved + patience - asyncio.get_running_loop().time()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body; each piece is asked for when there is room for it."""
        async for piece in _pieces(self._body):
            self.note()
            yield piece
        self.note()


_sending: ContextVar[_Upload] = ContextVar("sending")


class Session(AIOHTTPSession):  # type: ignore[misc]
    """aiobotocore's session, impatient with uploads; twice as patient as with answers."""

    async def send(self, request: Any) -> Any:
        """One try.

        Raises:
            ReadTimeoutError: For two read timeouts the store took nothing more.
        """
        if not request.body:
            return await super().send(request)
        upload = _Upload(request.body)
        request.body = upload.pieces()
        _sending.set(upload)
        patience = 2 * (self._timeout.sock_read or _READ_TIMEOUT)
        sending = asyncio.ensure_future(super().send(request))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=max(upload.left(patience), 0.01))
                if not sending.done() and upload.left(patience) <= 0:
                    raise ReadTimeoutError(endpoint_url=request.url)
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait({sending})
        return sending.result()

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        if _TRACE not in session.trace_configs:
            session.trace_configs.append(_TRACE)
        return session


async def _has_connection(*_: Any) -> None:
    if (upload := _sending.get(None)) is not None:
        upload.note()


def _trace() -> TraceConfig:
    found = TraceConfig()
    found.on_request_headers_sent.append(_has_connection)
    found.freeze()
    return found


_TRACE = _trace()


async def _pieces(body: Any) -> AsyncIterator[bytes]:
    """A body as botocore makes it: bytes, a file, or the wrapper that adds a checksum."""
    if isinstance(body, str):
        body = body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        view = memoryview(body).cast("B")
        for start in range(0, len(view), _PIECE):
            yield bytes(view[start : start + _PIECE])
        return
    while True:
        piece = body.read(_PIECE)
        if inspect.isawaitable(piece):
            piece = await piece
        if not piece:
            return
        yield piece
