"""The HTTP session of the S3 client: a request that stands still is given up, and tried again.

aiohttp counts the time to an answer from the end of what it writes. Before that, it waits for ever
for a store that takes the connection and then is silent: for the `100 Continue` that precedes each
upload, for room in the socket, for a proxy's tunnel. What is read has aiohttp's own limit.
"""

import asyncio
import copy
import inspect
import io
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from aiohttp import Payload, TraceConfig
from aiohttp.abc import AbstractStreamWriter
from botocore.exceptions import ReadTimeoutError

_PIECE = 1 << 16


class _Clock:
    """Since when nothing of a request has moved; it stands while somebody else is to move."""

    def __init__(self) -> None:
        self._moved: float | None = None

    def move(self) -> None:
        """Something moved, and more must."""
        self._moved = asyncio.get_running_loop().time()

    def stop(self) -> None:
        """It waits for a free connection, or is answered."""
        self._moved = None

    def left(self, patience: float) -> float:
        """Seconds until it has stood still for too long."""
        if self._moved is None:
            return patience
        return self._moved + patience - asyncio.get_running_loop().time()


_clock: ContextVar[_Clock] = ContextVar("clock")


class Session(AIOHTTPSession):  # type: ignore[misc]
    """aiobotocore's session, twice as patient with what it sends as with what it reads."""

    async def send(self, request: Any) -> Any:
        """One try.

        Raises:
            ReadTimeoutError: The store, or the proxy, took nothing for two read timeouts.
        """
        if self._timeout.sock_read is None or not _is_watched(request.body):
            return await super().send(request)
        patience, clock = 2 * self._timeout.sock_read, _Clock()
        sending = asyncio.ensure_future(self._send(request, clock))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=max(clock.left(patience), 0.01))
                if not sending.done() and clock.left(patience) <= 0:
                    raise ReadTimeoutError(endpoint_url=request.url)
        finally:
            await _settled(sending)
        return sending.result()

    async def _send(self, request: Any, clock: _Clock) -> Any:
        _clock.set(clock)  # of this task alone
        watched = copy.copy(request)  # whoever sends it again needs the body as it was
        watched.body = _watched(request.body, clock)
        return await super().send(watched)

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        if _TRACE not in session.trace_configs:
            session.trace_configs.append(_TRACE)
        return session


async def _settled(sending: "asyncio.Future[Any]") -> None:
    if not sending.done():
        sending.cancel()
        await asyncio.wait({sending})
    if not sending.cancelled():
        sending.exception()  # seen, if nobody else asks for it


def _trace() -> TraceConfig:
    def told(do: Callable[[_Clock], None]) -> Any:
        async def on(*_: Any) -> None:
            if (clock := _clock.get(None)) is not None:
                do(clock)

        return on

    found = TraceConfig()
    found.on_connection_queued_start.append(told(_Clock.stop))
    found.on_connection_create_start.append(told(_Clock.move))
    found.on_request_headers_sent.append(told(_Clock.move))
    found.on_request_end.append(told(_Clock.stop))
    found.freeze()
    return found


_TRACE = _trace()


def _is_watched(body: Any) -> bool:
    """s3fs sends bytes, and files in memory; of other files nobody here knows how they move."""
    return isinstance(body, io.BytesIO) or not isinstance(body, io.IOBase)


def _watched(body: Any, clock: _Clock) -> Any:
    """A body that moves the clock."""
    if isinstance(body, io.BytesIO):
        body = body.getvalue()[body.tell() :]
    if isinstance(body, bytes | bytearray | memoryview) and len(body):
        return _Bytes(body, clock)
    if inspect.iscoroutinefunction(getattr(body, "read", None)):  # the wrapper with a checksum
        return _read(body, clock)
    return body


class _Bytes(Payload):
    """Bytes piece by piece; each is written when there is room for it. It can be sent again."""

    _autoclose = True

    def __init__(self, value: bytes | bytearray | memoryview, clock: _Clock) -> None:
        super().__init__(value)
        self._size = memoryview(value).nbytes
        self._clock = clock

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        view = memoryview(self._value).cast("B")[:content_length]
        for start in range(0, len(view), _PIECE):
            await writer.write(bytes(view[start : start + _PIECE]))
            self._clock.move()


async def _read(body: Any, clock: _Clock) -> AsyncIterator[bytes]:
    while piece := await body.read(_PIECE):
        yield piece
        clock.move()
