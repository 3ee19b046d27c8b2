"""A byte stream that never raises on bad content: it ends early and remembers why.

What was readable before a cut is always delivered: decompression goes by small pieces, where a
buffered file object would lose the piece in which it raises. Several gzip members in a row (and so
BGZF) are one stream; zero bytes after the last one are padding, anything else is a defect.
"""

import zlib
from typing import BinaryIO

from isal import isal_zlib

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 31
_GZIP_TRAILER = 8
_PIECE = 32 << 10  # what a damaged stream can lose before its defect
_MAX_PIECE_OUT = 1 << 20


class InputStream:
    """The (decompressed) bytes of one file.

    Attributes:
        defect: (slug, detail) once the stream turned out to be empty, cut or damaged; else None.
            Complete only after `read` has returned b"".
    """

    def __init__(self, raw: BinaryIO, *, gzipped: bool) -> None:
        """Wrap an open file.

        Args:
            raw: Open for reading in binary; the caller closes it.
            gzipped: The name promises gzip; other content is a defect.
        """
        self.defect: tuple[str, str] | None = None
        self._raw = raw
        self._done = False
        self._ready = b""
        self._at = 0  # what of _ready is read: cutting it off each time would copy the rest
        self._held = b""
        self._hold = _GZIP_TRAILER if gzipped else 0
        self._packed = self._fetch()
        self._gunzip = isal_zlib.decompressobj(wbits=_GZIP_WBITS) if gzipped else None
        if not self._packed:
            self._end(self.defect or ("empty_file", "the file has no bytes"))
        elif gzipped and not self._packed.startswith(_GZIP_MAGIC):
            self._end(("not_gzip", "the name says gzip, the first two bytes do not"))

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end; b"" when there is no more."""
        parts: list[bytes] = []
        missing = size
        while missing > 0:
            if self._at == len(self._ready):
                self._ready, self._at = self._next_piece(), 0
                if not self._ready:
                    break
            piece = self._ready[self._at : self._at + missing]
            self._at += len(piece)
            parts.append(piece)
            missing -= len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_piece(self) -> bytes:
        """As many bytes as are at hand, without a copy; b"" when there is no more."""
        if self._at == len(self._ready):
            return self._next_piece()
        piece, self._ready, self._at = self._ready[self._at :], b"", 0
        return piece

    def skip(self, size: int) -> int:
        """Read past `size` bytes in bounded memory; returns how many there were."""
        left = size
        while left:
            got = len(self.read(min(left, _MAX_PIECE_OUT)))
            if not got:
                break
            left -= got
        return size - left

    def _next_piece(self) -> bytes:
        """Some more bytes; b"" only at the end."""
        while not self._done:
            if self._gunzip is None:
                piece, self._packed = self._packed, self._fetch()
                self._done = self._done or not self._packed
                return piece
            piece = self._inflate()
            if piece:
                return piece
        return b""

    def _inflate(self) -> bytes:
        assert self._gunzip is not None
        packed = self._packed or self._fetch()
        try:  # also without input: output may wait inside the decompressor
            piece: bytes = self._gunzip.decompress(packed, _MAX_PIECE_OUT)
        except (isal_zlib.error, zlib.error) as error:  # type: ignore[misc]  # isal has no types
            self._end(("damaged_stream", f"the gzip stream cannot be read on: {error}"))
            return b""
        self._packed = self._gunzip.unconsumed_tail
        if self._gunzip.eof:
            self._next_member(self._gunzip.unused_data)
        elif not packed and not piece:
            self._end(("truncated_stream", "the gzip stream ends before its end marker"))
        return piece

    def _next_member(self, rest: bytes) -> None:
        """After a member's end: another member, padding, the end, or something foreign."""
        while not (rest := rest.lstrip(b"\0") or b"") or len(rest) < len(_GZIP_MAGIC):
            more = self._fetch()
            if not more:
                break
            rest += more
        self._packed = rest
        if not rest:
            self._done = True
        elif rest.startswith(_GZIP_MAGIC):
            self._gunzip = isal_zlib.decompressobj(wbits=_GZIP_WBITS)
        else:
            self._end(("trailing_garbage", "bytes that are no gzip follow the compressed data"))

    def _fetch(self) -> bytes:
        """The next raw bytes, b"" at the end. A gzip file's last eight, its checksum, come alone.

        A decompressor that finds a wrong checksum keeps back what it has from the same piece.
        """
        try:
            while more := self._raw.read(_PIECE):
                piece = self._held + more
                cut = len(piece) - self._hold
                if cut >= len(_GZIP_MAGIC):
                    self._held = piece[cut:]
                    return piece[:cut]
                self._held = piece
        except OSError as error:
            self._end(
                ("unreadable_file", f"reading failed: {error.strerror or type(error).__name__}")
            )
            return b""
        piece, self._held = self._held, b""
        return piece

    def _end(self, defect: tuple[str, str]) -> None:
        self._done = True
        self.defect = self.defect or defect
