"""A byte stream that never raises on bad content: it ends early and remembers why.

What was readable before a cut is always delivered: decompression goes by small pieces, where a
buffered file object would lose the piece in which it raises. Several gzip members or zstd frames in
a row (and so BGZF) are one stream; zero bytes after the last one are padding, anything else is a
defect. A stream that expands beyond its bounds ends there.
"""

from dataclasses import dataclass
from typing import BinaryIO

from jepa_ray.readers.codecs import Codec, Decoder

_PIECE = 32 << 10
_MAX_PIECE_OUT = 256 << 10
_RATIO_COUNTS_FROM = 64 << 20


@dataclass(frozen=True)
class Bounds:
    """How far a compressed stream may expand.

    Attributes:
        ratio: Times its compressed bytes, once it has given 64 MiB.
        bytes: In all.
    """

    ratio: int = 250
    bytes: int = 1 << 40


class InputStream:
    """The (decompressed) bytes of one file.

    Attributes:
        defect: (slug, detail) once the stream turned out to be empty, cut or damaged; else None.
            Complete only after `read` has returned b"".
    """

    def __init__(
        self, raw: BinaryIO, *, codec: Codec | None = None, bounds: Bounds | None = None
    ) -> None:
        """Wrap an open file.

        Args:
            raw: Open for reading in binary; the caller closes it.
            codec: What the name promises; other content is a defect. None: not compressed.
            bounds: Of the expansion; None: the defaults.
        """
        self.defect: tuple[str, str] | None = None
        self._raw = raw
        self._codec = codec
        self._bounds = bounds or Bounds()
        self._taken = self._given = 0
        self._done = False
        self._ready = b""
        self._at = 0  # what of _ready is read: cutting it off each time would copy the rest
        self._held = b""
        self._packed = self._fetch()
        self._decoder = codec.decoder() if codec else None
        if not self._packed:
            self._end("empty_file", "the file has no bytes")
        elif codec and not self._packed.startswith(codec.magic):
            self._end(f"not_{codec.name}", f"the name says {codec.name}, the first bytes do not")

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

    def some(self, least: int) -> bytes:
        """At least `least` bytes, fewer only at the end; as they come, so mostly uncopied."""
        parts: list[bytes] = []
        while least > 0:
            if self._at == len(self._ready):
                self._ready, self._at = self._next_piece(), 0
                if not self._ready:
                    break
            piece = self._ready[self._at : self._at + _MAX_PIECE_OUT]  # whole: no copy
            self._at += len(piece)
            parts.append(piece)
            least -= len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

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
            if self._decoder is None:
                piece, self._packed = self._packed, self._fetch()
                self._done = self._done or not self._packed
                return piece
            piece = self._expand(self._decoder)
            if piece:
                return piece
        return b""

    def _expand(self, decoder: Decoder) -> bytes:
        hungry = decoder.needs_input
        packed = self._packed or self._fetch() if hungry else b""
        try:  # also without input: output may wait inside the decoder
            piece = decoder.decompress(packed, _MAX_PIECE_OUT)
        except decoder.errors as error:
            self._end("damaged_stream", f"the stream cannot be read on: {error}")
            return b""
        if hungry:
            self._packed = b""
        self._given += len(piece)
        if self._beyond_bounds():
            return b""
        if decoder.eof:
            self._next_member(decoder.unused_data)
        elif hungry and not packed and not piece:
            self._end("truncated_stream", "the compressed stream ends before its end marker")
        return piece

    def _beyond_bounds(self) -> bool:
        """End the stream if it has given more than its bounds allow."""
        limit = min(self._bounds.bytes, max(self._taken * self._bounds.ratio, _RATIO_COUNTS_FROM))
        if self._given > limit:
            self._end(
                "decompression_bomb",
                f"{self._taken} bytes expand to more than {limit}, beyond max_expansion = "
                f"{self._bounds.ratio} times or max_source_bytes = {self._bounds.bytes}",
            )
        return self._given > limit

    def _next_member(self, rest: bytes) -> None:
        """After a member's end: another member, padding, the end, or something foreign."""
        assert self._codec is not None
        magic = self._codec.magic
        while not (rest := rest.lstrip(b"\0") or b"") or len(rest) < min(map(len, magic)):
            more = self._fetch()
            if not more:
                break
            rest += more
        self._packed = rest
        if not rest:
            self._done = True
        elif rest.startswith(magic):
            self._decoder = self._codec.decoder()
        else:
            detail = f"bytes that are no {self._codec.name} follow the compressed data"
            self._end("trailing_garbage", detail)

    def _fetch(self) -> bytes:
        """The next raw bytes, b"" at the end. A member's checksum, its last bytes, come alone.

        A decoder that finds a wrong checksum keeps back what it has from the same piece.
        """
        size = self._codec.piece if self._codec else _PIECE
        hold = self._codec.trailer if self._codec else 0
        least = min(map(len, self._codec.magic)) if self._codec else 1
        try:
            while more := self._raw.read(size):
                self._taken += len(more)
                piece = self._held + more
                cut = len(piece) - hold
                if cut >= least:
                    self._held = piece[cut:]
                    return piece[:cut]
                self._held = piece
        except OSError as error:
            self._end(
                "unreadable_file", f"reading failed: {error.strerror or type(error).__name__}"
            )
            return b""
        piece, self._held = self._held, b""
        return piece

    def _end(self, slug: str, detail: str) -> None:
        self._done = True
        self.defect = self.defect or (slug, detail)
