"""The files of an export: one of JSON lines for each side of the split, gzipped."""

import hashlib
from types import TracebackType
from typing import BinaryIO, Self

from isal import isal_zlib

SIDES = ("train", "val")
PACKED = ".jsonl.gz"
PLAIN = ".jsonl"
ACCOUNT = "export.json"
"""Written last: the split that the files come from, their records and checksums."""

_LEVEL = 2
_GZIP_WBITS = 31
_PIECE = 1 << 20


def side_files(side: str) -> tuple[str, str]:
    """The names that a side's file can have: packed and plain."""
    return side + PACKED, side + PLAIN


class SideWriter:
    """Gzips lines into an open file; use it as a context manager.

    The same lines give the same bytes, however they are handed over: text is compressed in pieces
    of one size, and the header carries neither time nor name.

    Attributes:
        records: Lines so far.
        bytes: Of the file; complete at the end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.records = 0
        self.bytes = 0
        self._file = file
        self._gzip = isal_zlib.compressobj(_LEVEL, wbits=_GZIP_WBITS)
        self._digest = hashlib.sha256()
        self._waiting = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._put(self._gzip.compress(self._waiting))
            self._put(self._gzip.flush())

    def write(self, lines: list[bytes]) -> None:
        """Append whole lines."""
        self.records += len(lines)
        text = b"".join([self._waiting, *lines])
        end = len(text) - len(text) % _PIECE
        for at in range(0, end, _PIECE):
            self._put(self._gzip.compress(text[at : at + _PIECE]))
        self._waiting = text[end:]

    def document(self) -> dict[str, int | str]:
        """What export.json says of the file."""
        return {"records": self.records, "bytes": self.bytes, "sha256": self._digest.hexdigest()}

    def _put(self, packed: bytes) -> None:
        self._file.write(packed)
        self._digest.update(packed)
        self.bytes += len(packed)
