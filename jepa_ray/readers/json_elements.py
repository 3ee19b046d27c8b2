"""Elements of a JSON array, cut out of a stream without building it; or the one document there is.

Brackets are counted outside strings, nothing else is understood: an element that is no JSON is
found when it is decoded, and costs one record. Memory is bounded by the largest element.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator

from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.readers.stream import InputStream

CHUNK_BYTES = 256 << 10
_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'["\\]')


def json_elements(
    stream: InputStream, *, max_bytes: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[RawItem | RawDefect]:
    """Cut a file that holds one JSON value.

    Args:
        stream: The decompressed source; a byte order mark is passed over.
        max_bytes: A larger element, or document, becomes a `record_too_large` defect.
        chunk_bytes: Read at a time.

    Yields:
        A `RawItem` for each element of an array, numbered from 1; a single one for any other
        document. A `RawDefect` where an array is cut or something follows it.
    """
    head = stream.read(max(chunk_bytes, len(BOM_UTF8))).removeprefix(BOM_UTF8).lstrip()
    while not head and (piece := stream.read(chunk_bytes)):
        head = piece.lstrip()
    if head.startswith(b"["):
        yield from _array(stream, head[1:], max_bytes, chunk_bytes)
    elif head:
        yield from _whole(stream, head, max_bytes)
    else:
        yield RawDefect(1, *(stream.defect or ("empty_file", "the file holds no JSON")))


def _whole(stream: InputStream, head: bytes, limit: int) -> Iterator[RawItem | RawDefect]:
    data = head + stream.read(max(limit + 1 - len(head), 0))
    if stream.defect:
        yield RawDefect(1, *stream.defect)
    elif len(data) > limit:
        yield RawDefect(1, "record_too_large", f"the document is larger than {limit} bytes")
    else:
        yield RawItem(1, "", data)


def _array(
    stream: InputStream, piece: bytes, limit: int, chunk_bytes: int
) -> Iterator[RawItem | RawDefect]:
    cutter = _Cutter(limit)
    trailing = False
    piece = piece or stream.read(chunk_bytes)
    while piece:
        if cutter.closed:
            trailing = trailing or bool(piece.strip())
        else:
            yield from cutter.feed(piece)
            trailing = bool(cutter.rest.strip())
        piece = stream.read(chunk_bytes)
    if stream.defect:
        yield RawDefect(cutter.number, *stream.defect)
    elif not cutter.closed:
        yield RawDefect(cutter.number, "truncated_document", "the array is not closed")
    elif trailing:
        yield RawDefect(cutter.number, "trailing_garbage", "something follows the array")


class _Cutter:
    """Where in the array we are.

    Attributes:
        number: Of the element that is being read.
        closed: The end of the array was there.
        rest: What followed it in the last piece.
    """

    def __init__(self, limit: int) -> None:
        self.number = 1
        self.closed = False
        self.rest = b""
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, piece: bytes) -> Iterator[RawItem | RawDefect]:
        """Elements that end in the next piece of the stream."""
        begin, at = 0, int(self._escaped)
        self._escaped = False
        while match := (_INSIDE if self._in_string else _OUTSIDE).search(piece, at):
            at = match.end()
            mark = match[0]
            if mark == b"\\":
                self._escaped = at == len(piece)
                at += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif mark in b"[{":
                self._depth += 1
            elif mark == b",":
                if not self._depth:
                    yield self._close(piece[begin : at - 1])
                    begin = at
            elif self._depth:
                self._depth -= 1
            else:
                last = self._close(piece[begin : at - 1])
                if last.number > 1 or isinstance(last, RawDefect) or last.data:
                    yield last
                self.closed, self.rest = True, piece[at:]
                return
        self._add(piece[begin:])

    def _add(self, piece: bytes) -> None:
        """Keep a piece of the element, unless it is too large already."""
        self._size += len(piece)
        self._parts.append(piece)
        if self._size > self._limit:
            self._parts.clear()

    def _close(self, piece: bytes) -> RawItem | RawDefect:
        self._add(piece)
        data = b"".join(self._parts).strip()
        number, large = self.number, self._size > self._limit
        self.number, self._parts, self._size = number + 1, [], 0
        if large:
            detail = f"the element is larger than {self._limit} bytes"
            return RawDefect(number, "record_too_large", detail)
        return RawItem(number, "", data)
