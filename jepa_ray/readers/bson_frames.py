"""BSON documents cut out of a stream by their lengths, without looking inside them.

Unusual choice: frames are cut from the pieces as the stream gives them. Only a frame that lies
across two pieces is put together, so a document's bytes are copied once.
"""

import struct
from collections.abc import Callable

from jepa_ray.readers.stream import InputStream

MIN_DOCUMENT = 5
END_MARK = -1
"""The length that stands where no document follows: 0xffffffff."""

_length = struct.Struct("<i").unpack_from


class FramingError(Exception):
    """Where the next frame should be there is none; the slug and a sentence without raw text."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(slug, detail)
        self.slug = slug
        self.detail = detail


class BsonFrames:
    """A place in a stream of frames, with a running checksum of what was read."""

    def __init__(
        self, stream: InputStream, checksum: Callable[[bytes | memoryview, int], int] | None = None
    ) -> None:
        """Start at the next byte of a stream.

        Args:
            stream: The decompressed source.
            checksum: Carries a checksum on over some bytes; None: none is kept.
        """
        self._stream = stream
        self._update = checksum
        self._checksum = 0
        self._piece = b""
        self._at = 0
        self._from = 0  # where the bytes begin that the checksum does not cover yet

    def raw(self, size: int) -> bytes:
        """The next bytes, fewer only at the end, whatever they are; not part of the checksum."""
        self.checksum()
        return self._take(size)

    def frame(self, limit: int) -> bytes | int | None:
        """The next document.

        Args:
            limit: A larger document is passed over in bounded memory.

        Returns:
            Its bytes; its length where it is larger than `limit`, `END_MARK` where the end mark
            stands instead (and is passed over); None where the stream ends before any byte of it.

        Raises:
            FramingError: The length is none, or the stream ends inside.
        """
        at, piece = self._at, self._piece
        if at + 4 <= len(piece):
            size = _length(piece, at)[0]
            end = at + size
            if MIN_DOCUMENT <= size <= limit and end <= len(piece):
                self._at = end
                return piece[at:end]
        return self._across(limit)

    def begin(self, checksum: int) -> None:
        """From here on, carry on this checksum."""
        self._checksum = checksum
        self._from = self._at

    def checksum(self) -> int:
        """The checksum of all frames since `begin`, brought up to date in one run."""
        if self._from < self._at:
            self._cover(memoryview(self._piece)[self._from : self._at])
        self._from = self._at
        return self._checksum

    def _across(self, limit: int) -> bytes | int | None:
        """As `frame`, where it is no plain matter."""
        self.checksum()
        head = self._take(4)
        if not head:
            return None
        size = _length(head)[0] if len(head) == 4 else MIN_DOCUMENT
        if size == END_MARK:
            return END_MARK
        if size < MIN_DOCUMENT:
            raise FramingError("bad_length", f"a document cannot have {size} bytes")
        self._cover(head)
        if size > limit:
            self._pass(size - len(head))
            return size
        rest = self._take(size - len(head))
        self._cover(rest)
        if len(head) + len(rest) < size:
            raise self._cut()
        return head + rest

    def _pass(self, size: int) -> None:
        while size:
            part = self._take(min(size, 1 << 20))
            if not part:
                raise self._cut()
            self._cover(part)
            size -= len(part)

    def _take(self, size: int) -> bytes:
        """As `raw`; the checksum has to be up to date."""
        parts = [self._piece[self._at : self._at + size]]
        self._at += len(parts[0])
        size -= len(parts[0])
        while size and (piece := self._stream.some(1)):
            parts.append(piece[:size])
            self._piece, self._at = piece, len(parts[-1])
            size -= self._at
        self._from = self._at
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _cover(self, part: bytes | memoryview) -> None:
        if self._update is not None:
            self._checksum = self._update(part, self._checksum)

    def _cut(self) -> FramingError:
        cut = ("truncated_stream", "the stream ends inside a document")
        return FramingError(*(self._stream.defect or cut))
