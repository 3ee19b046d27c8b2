"""The files of an export: one of JSON lines for each side of the split, gzipped."""

import hashlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from isal import isal_zlib

from jepa_ray.errors import SourceError
from jepa_ray.storage import join, read_json

SIDES = ("train", "val")
PACKED = ".jsonl.gz"
PLAIN = ".jsonl"
ACCOUNT = "export.json"
"""Written last: the split that the files come from, their records and checksums."""

UNFINISHED = "unfinished"
"""The key that export.json has while the files of an export take their places."""

_LEVEL = 2
_GZIP_WBITS = 31
_PIECE = 1 << 20


def side_files(side: str) -> tuple[str, str]:
    """The names that a side's file can have: packed and plain."""
    return side + PACKED, side + PLAIN


class Content(NamedTuple):
    """What a file of an export holds.

    Attributes:
        fingerprint: Hex, of its bytes.
        sha256: Hex, of its bytes.
        newlines: In its bytes as they are.
    """

    fingerprint: str
    sha256: str
    newlines: int


def check_account(home: str, contents: Mapping[str, Content]) -> None:
    """Make sure that files are those that the export.json beside them tells of, if there is one.

    Args:
        home: Path or URL of the folder of one dataset.
        contents: By name, of the files of its sides. A packed file must have the checksum, one that
            was unpacked as many lines as there are records.

    Raises:
        SourceError: They are not, or export.json cannot be read.
    """
    try:
        account = read_json(join(home, ACCOUNT))
    except FileNotFoundError:
        return
    except (ValueError, RecursionError):
        account = None
    way_out = f"export again, or remove {ACCOUNT} to import what is there"
    if not isinstance(account, dict):
        raise SourceError(f"{join(home, ACCOUNT)} is no JSON object: {way_out}")
    if UNFINISHED in account:
        raise SourceError(f"{home} holds an export that was cut off: {way_out}")
    for side in SIDES:
        told = account.get(side)
        if not _as_told(told, [contents.get(name) for name in side_files(side)]):
            raise SourceError(
                f"{join(home, side_files(side)[0])} is not the file that {ACCOUNT} tells of: "
                f"{way_out}"
            )


def _as_told(told: Any, there: list[Content | None]) -> bool:
    """Whether a side, packed or plain, is what its part of export.json says."""
    packed, plain = there
    if not isinstance(told, dict):
        return packed is plain is None
    if packed:
        return packed.sha256 == told.get("sha256")
    return plain is not None and plain.newlines == told.get("records")


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
