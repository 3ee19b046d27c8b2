"""Compressed forms that a source may have, told by its name: `.gz` (isal) and `.zst` (zstandard).

A decoder gives a bounded number of bytes a call, whatever it is fed.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import zstandard
from isal import igzip_lib

_ZSTD_WINDOW = 128 << 20
_ZSTD_PIECE = 1 << 10
"""Fed at once: a block of 128 KiB can stand in 4 bytes, so this gives 32 MiB at most."""


class Decoder(Protocol):
    """What `bz2.BZ2Decompressor` gives; it keeps what it was fed until it has given all of it."""

    errors: ClassVar[tuple[type[Exception], ...]]

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What came after the end of the member."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether it has given all that it could of what it was fed."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Some bytes."""
        ...


class _Gzip:
    errors: ClassVar[tuple[type[Exception], ...]] = (igzip_lib.IsalError, zlib.error)  # type: ignore[assignment]  # isal has no types

    def __init__(self) -> None:
        self._inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return bytes(self._inflate.decompress(data, max_length))

    @property
    def eof(self) -> bool:
        return bool(self._inflate.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inflate.unused_data)

    @property
    def needs_input(self) -> bool:
        return bool(self._inflate.needs_input)


class _Zstd:
    errors: ClassVar[tuple[type[Exception], ...]] = (zstandard.ZstdError, MemoryError)

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._rest = b""

    @property
    def needs_input(self) -> bool:
        return not self._rest

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        """What came after the frame, with what it was not given yet."""
        return self._frame.unused_data + self._rest

    def decompress(self, data: bytes, max_length: int, /) -> bytes:  # noqa: ARG002 - by the input
        """Bytes of a small piece; the rest is for the next calls."""
        data = self._rest + data
        self._rest = data[_ZSTD_PIECE:]
        return self._frame.decompress(data[:_ZSTD_PIECE])


@dataclass(frozen=True)
class Codec:
    """A compressed form.

    Attributes:
        name: For messages and slugs.
        suffixes: Of file names.
        magic: What its members begin with, one of them.
        trailer: Bytes of the checksum at the end of a member.
        piece: Bytes read at once: what a damaged stream can lose before its defect.
        decoder: Makes a decoder of one member.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    trailer: int
    piece: int
    decoder: Callable[[], Decoder]


GZIP = Codec("gzip", (".gz", ".tgz"), (b"\x1f\x8b",), 8, 32 << 10, _Gzip)
_SKIPPABLE = tuple(bytes([0x50 + i]) + b"\x2a\x4d\x18" for i in range(16))
ZSTD = Codec("zstd", (".zst", ".tzst"), (b"\x28\xb5\x2f\xfd", *_SKIPPABLE), 4, 4 << 10, _Zstd)


def codec_of(name: str) -> Codec | None:
    """What the name of a file promises; None: it is not compressed."""
    return next((codec for codec in (GZIP, ZSTD) if name.endswith(codec.suffixes)), None)


def codec_in(head: bytes) -> Codec | None:
    """What the first bytes of a file (4 are enough) say; None: it is not compressed."""
    return next((codec for codec in (GZIP, ZSTD) if head.startswith(codec.magic)), None)
