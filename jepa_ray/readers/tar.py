"""Members of a tar stream, in bounded memory, nothing lost without a word.

Unusual choices:
- Our own walker over 512-byte blocks (ustar, GNU long names, pax paths and sizes): the standard
  library's `tarfile` ends in silence at a damaged header, and costs several times more.
- Nothing is ever extracted: a member is bytes, its name a label. Names with "..", absolute names,
  links and devices are refused all the same.
- After a damaged header we look for the next good one, so one bad block costs one record.

Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header".
"""

from collections.abc import Iterator

from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.readers.stream import InputStream

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_MAX_META = 1 << 20
_FILE, _DIRECTORY = (b"0", b"\0", b"7"), b"5"
_EXTENSIONS = (b"L", b"x", b"g", b"K")
_NO_CONTENT = (b"1", b"2", b"3", b"4", b"6")  # links, devices, fifos: whatever their size says


def tar_members(stream: InputStream, *, max_member_bytes: int) -> Iterator[RawItem | RawDefect]:
    """Yield the regular files of a tar stream.

    Args:
        stream: The decompressed archive.
        max_member_bytes: A larger member becomes a `record_too_large` defect and is passed over.

    Yields:
        `RawItem` (number among the members that are no directories, name, content), or `RawDefect`
        for a member that is refused, and for the place where the archive is damaged or cut.
    """
    number = 1
    for outcome in _Walk(stream, max_member_bytes).outcomes():
        yield outcome._replace(number=number)
        number += 1
    if stream.defect:
        yield RawDefect(number, *stream.defect)


class _Walk:
    """One walk over the blocks of an archive; outcomes are numbered 0 here."""

    def __init__(self, stream: InputStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._meta: dict[bytes, str] = {}  # what extension headers say of the next member

    def outcomes(self) -> Iterator[RawItem | RawDefect]:
        lost = False
        while len(block := self._stream.read(_BLOCK)) == _BLOCK and block != _ZEROS:
            if not _checksum_ok(block):
                if not lost:
                    yield RawDefect(0, "damaged_tar_header", "a member's header has a bad checksum")
                lost, self._meta = True, {}
                continue
            lost = False
            outcome = self._header(block)
            if outcome is not None:
                yield outcome
        if block == _ZEROS:
            self._end()
        elif block or self._meta:  # or the member that an extension header announced is missing
            self._cut()

    def _header(self, block: bytes) -> RawItem | RawDefect | None:
        """What a good header announces; None for what is no member, or cut."""
        kind, size = block[156:157], _number(block[124:136])
        if kind in _EXTENSIONS and 0 <= size <= _MAX_META:
            meta = self._stream.read(_padded(size))[:size]
            if len(meta) < size:
                self._cut()
            elif kind == b"L":
                self._meta[b"path"] = meta.rstrip(b"\0").decode("utf-8", "surrogateescape")
            elif kind == b"x":
                self._meta |= _pax(meta)
            return None
        said, self._meta = self._meta, {}
        name = said.get(b"path") or _name(block)
        if kind == _DIRECTORY or (kind == b"\0" and name.endswith("/")):  # the latter before 1988
            return None
        if b"size" in said:
            size = int(said[b"size"])
        return self._member(name, kind, size, block, sparse=b"sparse" in said)

    def _member(
        self, name: str, kind: bytes, size: int, block: bytes, *, sparse: bool
    ) -> RawItem | RawDefect | None:
        """One member's outcome; None where the stream ends inside it."""
        if kind == b"S":
            _skip_sparse_map(self._stream, block)
        refused = self._refused(name, kind, size, sparse=sparse)
        if refused is None:
            data = self._stream.read(_padded(size))
            if len(data) >= size:
                return RawItem(0, name, data[:size])
        elif kind in _NO_CONTENT or size < 0 or self._stream.skip(_padded(size)) >= size:
            return refused
        self._cut()
        return None

    def _refused(self, name: str, kind: bytes, size: int, *, sparse: bool) -> RawDefect | None:
        if kind not in _FILE or sparse:
            detail = f"links, devices and sparse files are refused (type {kind!r})"
            return RawDefect(0, "unsafe_member", detail)
        if size < 0:
            return RawDefect(0, "damaged_tar_header", "a member's size is not a number")
        if name.startswith("/") or ".." in name.split("/"):
            return RawDefect(0, "unsafe_member", "the name is absolute or holds '..'")
        if size > self._limit:
            detail = f"the member is larger than {self._limit} bytes"
            return RawDefect(0, "record_too_large", detail)
        return None

    def _end(self) -> None:
        """Read to the end: a gzip checksum is only tested there."""
        while rest := self._stream.read(1 << 20):
            if rest.strip(b"\0"):
                self._defect("trailing_garbage", "data follows the end mark of the archive")

    def _cut(self) -> None:
        self._defect("truncated_stream", "the archive ends inside a member")

    def _defect(self, slug: str, detail: str) -> None:
        self._stream.defect = self._stream.defect or (slug, detail)


def _skip_sparse_map(stream: InputStream, header: bytes) -> None:
    """Read past the blocks that carry on the map of a GNU sparse member, before its content."""
    more = header[482]
    while more:
        block = stream.read(_BLOCK)
        more = block[504] if len(block) == _BLOCK else 0


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _name(block: bytes) -> str:
    name = block[:100].split(b"\0", 1)[0]
    if block[257:262] == b"ustar" and block[345]:
        name = block[345:500].split(b"\0", 1)[0] + b"/" + name
    return name.decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """An octal or GNU base-256 number; -1 where it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def _checksum_ok(block: bytes) -> bool:
    return _number(block[148:156]) == sum(block) - sum(block[148:156]) + 8 * 0x20


def _pax(meta: bytes) -> dict[bytes, str]:
    """Path, size and whether it is sparse, as far as a pax header says so."""
    found: dict[bytes, str] = {}
    while meta:
        digits, _, rest = meta.partition(b" ")
        if not digits.isdigit() or not 0 < int(digits[:9]) <= len(meta):
            break
        key, _, value = rest[: int(digits) - len(digits) - 2].partition(b"=")
        if key == b"path" or (key == b"size" and value.isdigit()):
            found[key] = value[: _MAX_META if key == b"path" else 18].decode(
                "utf-8", "surrogateescape"
            )
        elif key.startswith(b"GNU.sparse."):
            found[b"sparse"] = "yes"
        meta = meta[int(digits) :]
    return found
