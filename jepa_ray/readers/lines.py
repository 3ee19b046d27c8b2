"""Lines of a stream, cut into chunks at newlines, in bounded memory."""

import re
from collections.abc import Iterator

from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.readers.stream import InputStream

CHUNK_BYTES = 256 << 10


def line_chunks(
    stream: InputStream, *, max_line_bytes: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[RawItem | RawDefect]:
    """Cut a stream into items of whole lines.

    Args:
        stream: The decompressed source.
        max_line_bytes: A longer line becomes a `record_too_large` defect and is passed over.
        chunk_bytes: Size of an item, about; one line may exceed it.

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
            yield from _bounded(data, number, max_line_bytes)
            number += _newlines(data)
            rest, waiting = [], 0
        rest.append(piece[end:])
        waiting += len(rest[-1])
    if waiting and (stream.defect is None or stream.defect[0] == "trailing_garbage"):
        yield from _bounded(b"".join(rest), number, max_line_bytes)
        number += 1
    if stream.defect:
        yield RawDefect(number, *stream.defect)


def _newlines(data: bytes) -> int:
    """As `data.count` of the newline, which looks at one character at a time; `find` does not."""
    count, find = 0, data.find
    at = find(b"\n")
    while at >= 0:
        count += 1
        at = find(b"\n", at + 1)
    return count


def _bounded(data: bytes, number: int, limit: int) -> Iterator[RawItem | RawDefect]:
    """One item, or, where a line is too long, its neighbours and a defect."""
    if len(data) <= limit:
        yield RawItem(number, "", data)
        return
    at = 0
    for line in re.finditer(rb"[^\n]{%d,}\n?" % limit, data):
        if line.end() - line.start() > limit:
            yield from _lines(data[at : line.start()], number)
            number += _newlines(data[at : line.start()])
            yield _too_long(number, limit)
            number += 1
            at = line.end()
    yield from _lines(data[at:], number)


def _lines(data: bytes, number: int) -> Iterator[RawItem]:
    if data:
        yield RawItem(number, "", data)


def _past_newline(stream: InputStream) -> bytes:
    """Read on to the next newline and return what follows it in the last piece."""
    while piece := stream.some(CHUNK_BYTES):
        at = piece.find(b"\n")
        if at >= 0:
            return piece[at + 1 :]
    return b""


def _too_long(number: int, limit: int) -> RawDefect:
    return RawDefect(number, "record_too_large", f"the line is longer than {limit} bytes")
