"""Lines of a stream, cut into chunks at newlines, in bounded memory."""

from collections.abc import Iterator

import numpy as np

from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.readers.stream import InputStream

CHUNK_BYTES = 256 << 10
_SAMPLE, _SHORT = 64, 256  # lines looked at, and bytes a line where each would cost too much


def line_chunks(
    stream: InputStream, *, max_line_bytes: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[RawItem | RawDefect]:
    """Cut a stream into items of whole lines.

    Args:
        stream: The decompressed source.
        max_line_bytes: A longer line becomes a `record_too_large` defect and is passed over.
        chunk_bytes: Size of an item, about, never more than double; one line may exceed it.

    Yields:
        `RawItem` whose `number` is that of its first line; a `RawDefect` for a line that is too
        long, and one for the place where a damaged stream ends (with the line cut there, if any).
    """
    rest: list[bytes] = []  # of a line that goes on
    waiting = 0
    number = 1
    while piece := stream.some(max(1, chunk_bytes // 2)):
        end = piece.rfind(b"\n") + 1
        if not end and waiting + len(piece) > max_line_bytes:
            yield _too_long(number, max_line_bytes)
            number += 1
            rest, waiting, piece = [], 0, _past_newline(stream)
            end = piece.rfind(b"\n") + 1
        if end:
            data = b"".join((*rest, memoryview(piece)[:end]))
            yield from _bounded(data, number, max_line_bytes, chunk_bytes)
            number += _newlines(data)
            rest, waiting = [], 0
        rest.append(piece[end:])
        waiting += len(rest[-1])
    if waiting and (stream.defect is None or stream.defect[0] == "trailing_garbage"):
        yield from _bounded(b"".join(rest), number, max_line_bytes, chunk_bytes)
        number += 1
    if stream.defect:
        yield RawDefect(number, *stream.defect)


def _newlines(data: bytes) -> int:
    """As `data.count` of the newline, which looks at one character at a time; `find` does not."""
    count, at, find = 0, -1, data.find
    while True:
        begin = at
        for _ in range(_SAMPLE):
            at = find(b"\n", at + 1)
            if at < 0:
                return count
            count += 1
        if at - begin < _SAMPLE * _SHORT:
            rest = np.frombuffer(data, np.uint8)[at + 1 :]
            return count + int(np.count_nonzero(rest == ord("\n")))


def _bounded(data: bytes, number: int, limit: int, size: int) -> Iterator[RawItem | RawDefect]:
    """Items of about a size, and a defect for each line that is too long."""
    begin = at = 0
    while len(data) - at > limit:
        end = data.rfind(b"\n", at, at + limit) + 1
        if not end:
            yield from _lines(data[begin:at], number, size)
            number += _newlines(data[begin:at])
            yield _too_long(number, limit)
            number += 1
            begin = end = data.find(b"\n", at + limit) + 1 or len(data)
        at = end
    yield from _lines(data[begin:] if begin else data, number, size)


def _lines(data: bytes, number: int, size: int) -> Iterator[RawItem]:
    """Whole lines: an item, or several where a stream expanded to more than double the size."""
    at = 0
    while len(data) - at > 2 * size:
        end = data.rfind(b"\n", at, at + size) + 1 or data.find(b"\n", at + size) + 1 or len(data)
        piece = data[at:end]
        yield RawItem(number, "", piece)
        number += _newlines(piece)
        at = end
    if at < len(data):
        yield RawItem(number, "", data[at:] if at else data)


def _past_newline(stream: InputStream) -> bytes:
    """Read on to the next newline and return what follows it in the last piece."""
    while piece := stream.some(CHUNK_BYTES):
        at = piece.find(b"\n")
        if at >= 0:
            return piece[at + 1 :]
    return b""


def _too_long(number: int, limit: int) -> RawDefect:
    return RawDefect(number, "record_too_large", f"the line is longer than {limit} bytes")
