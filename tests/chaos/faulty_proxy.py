"""A proxy in front of an S3 server that fails on demand. A program: it runs on a host.

    python faulty_proxy.py ADDRESS PORT UPSTREAM_PORT SOCKET

Serves ADDRESS:PORT and the listening socket with the file number SOCKET, which never fails. A line
on stdin is the mode from then on, and is answered by itself on stdout:

    pass    hand everything on
    503     answer each request with 503 SlowDown
    stall   take connections and requests, and never answer; not even when the mode changes
    drop    reset connections, those that are open too
"""

import asyncio
import contextlib
import socket
import struct
import sys

_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>"
)
_ANSWER = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_SLOW_DOWN), _SLOW_DOWN)
)
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Connections on their way to a port of this host."""

    def __init__(self, upstream_port: int) -> None:
        self._port = upstream_port
        self._mode = "pass"
        self._open: set[asyncio.StreamWriter] = set()
        self._held: list[asyncio.StreamWriter] = []  # stalled for ever

    def turn(self, mode: str) -> None:
        """Take a mode; connections of another one do not survive it."""
        self._mode = mode
        for writer in self._open if mode in {"503", "drop"} else ():
            _reset(writer)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that may fail."""
        if self._mode == "drop":
            _reset(writer)
        elif self._mode == "503":
            await _refuse(reader, writer)
        else:
            self._open.add(writer)
            await self.hand_on(reader, writer, fails=True)
            self._open.discard(writer)

    async def hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, fails: bool = False
    ) -> None:
        """Both directions until one ends."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:  # it has only just been started
            writer.close()
            return
        ways = [self._pump(reader, back, fails), self._pump(there, writer, fails)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for each in (writer, back):
            if each not in self._held:
                each.close()

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, fails: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if fails and self._mode == "stall":
                    self._held.append(target)
                    await asyncio.Event().wait()
                target.write(data)
                await target.drain()


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a request to its end, where that can be told, and answer 503."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
        if b"100-continue" not in head:
            await reader.readexactly(int(length or 0))
        writer.write(_ANSWER)
        await writer.drain()
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def main(address: str, port: str, upstream_port: str, number: str) -> None:
    """Serve until stdin ends."""
    proxy = Proxy(int(upstream_port))
    await asyncio.start_server(proxy.take, address, int(port))
    await asyncio.start_server(proxy.hand_on, sock=socket.socket(fileno=int(number)))
    loop = asyncio.get_running_loop()
    while mode := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        proxy.turn(mode)
        sys.stdout.write(f"{mode}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
