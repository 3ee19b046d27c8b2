"""Members of a tar stream, in bounded memory, nothing lost without a word.

Unusual choices:
- Our own walker over 512-byte blocks (ustar, GNU long names, pax paths and sizes): the standard
  library's `tarfile` ends in silence at a damaged header, and costs several times more.
- Nothing is ever extracted: a member is bytes, its name a label. Names with "..", absolute names,
  names that no file system takes, links and devices are refused all the same.
- After a damaged header we look for the next good one, so one bad block costs one record.

Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header".
"""

from collections.abc import Iterator
from zlib import adler32

from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.readers.stream import InputStream

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_MAX_META = 1 << 20
_MAX_NAME = 4096  # PATH_MAX of Linux
_LARGE = 1 << 20
_FILE, _DIRECTORY = (b"0", b"\0", b"7"), b"5"
_EXTENSIONS = (b"L", b"x", b"g", b"K")
_NO_CONTENT = (b"1", b"2", b"3", b"4", b"6")  # links, devices, fifos: whatever their size says


def tar_members(stream: InputStream, *, max_member_bytes: int) -> Iterator[RawItem | RawDefect]:
    """The regular files of a tar stream.

    Args:
        stream: The decompressed archive.
        max_member_bytes: A larger member becomes a `record_too_large` defect and is passed over.

    Returns:
        `RawItem` (number among the members that are no directories, name, content), or `RawDefect`
        for a member that is refused, and for the place where the archive is damaged or cut.
    """
    return _Walk(stream, max_member_bytes).outcomes()


class _Walk:
    """One walk over the blocks of an archive; outcomes are numbered from 1.

    The stream is taken in its own pieces, and cut from them: two calls a member would cost more
    than all the rest.
    """

    def __init__(self, stream: InputStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._number = 0
        self._meta: dict[bytes, str] = {}  # what extension headers say of the next member
        self._piece = b""
        self._at = 0

    def outcomes(self) -> Iterator[RawItem | RawDefect]:
        lost = False
        while len(block := self._take(_BLOCK)) == _BLOCK and block != _ZEROS:
            if not _checksum_ok(block):
                if not lost:
                    yield self._bad("damaged_tar_header", "a member's header has a bad checksum")
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
        if self._stream.defect:
            yield self._bad(*self._stream.defect)

    def _take(self, size: int, padding: int = 0) -> bytes:
        """The next bytes, fewer only at the end; `padding` more are passed over."""
        at, end = self._at, self._at + size
        if end + padding <= len(self._piece):
            self._at = end + padding
            return self._piece[at:end]
        rest = self._piece[at:]
        missing = size + padding - len(rest)
        if missing > _LARGE:
            self._piece, self._at = b"", 0
            return (rest + self._stream.read(missing))[:size]
        self._piece = rest + self._stream.some(missing)
        self._at = min(size + padding, len(self._piece))
        return self._piece[:size]

    def _skip(self, size: int) -> int:
        """Pass over some bytes; how many there were."""
        here = min(size, len(self._piece) - self._at)
        self._at += here
        return here + self._stream.skip(size - here)

    def _header(self, block: bytes) -> RawItem | RawDefect | None:
        """What a good header announces; None for what is no member, or cut."""
        kind, size = block[156:157], _number(block[124:136])
        if kind in _EXTENSIONS and 0 <= size <= _MAX_META:
            meta = self._take(size, -size % _BLOCK)
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
            self._skip_sparse_map(block)
        refused = self._refused(name, kind, size, sparse=sparse)
        if refused is None:
            data = self._take(size, -size % _BLOCK)
            if len(data) == size:
                self._number += 1
                return RawItem(self._number, name, data)
        elif kind in _NO_CONTENT or size < 0 or self._skip(size + -size % _BLOCK) >= size:
            return self._bad(*refused)
        self._cut()
        return None

    def _refused(
        self, name: str, kind: bytes, size: int, *, sparse: bool
    ) -> tuple[str, str] | None:
        """Slug and detail of a member that is not taken."""
        if kind not in _FILE or sparse:
            detail = f"links, devices and sparse files are refused (type {kind!r})"
            return "unsafe_member", detail
        if size < 0:
            return "damaged_tar_header", "a member's size is not a number"
        if name.startswith("/") or (".." in name and ".." in name.split("/")):
            return "unsafe_member", "the name is absolute or holds '..'"
        if len(name) > _MAX_NAME:
            return "unsafe_member", f"the name is longer than {_MAX_NAME} characters"
        if size > self._limit:
            return "record_too_large", f"the member is larger than {self._limit} bytes"
        return None

    def _bad(self, slug: str, detail: str) -> RawDefect:
        self._number += 1
        return RawDefect(self._number, slug, detail)

    def _skip_sparse_map(self, header: bytes) -> None:
        """Read past the blocks that carry on the map of a GNU sparse member, before its content."""
        more = header[482]
        while more:
            block = self._take(_BLOCK)
            more = block[504] if len(block) == _BLOCK else 0

    def _end(self) -> None:
        """Read to the end: a gzip checksum is only tested there."""
        while rest := self._take(1 << 20):
            if rest.strip(b"\0"):
                self._defect("trailing_garbage", "data follows the end mark of the archive")

    def _cut(self) -> None:
        self._defect("truncated_stream", "the archive ends inside a member")

    def _defect(self, slug: str, detail: str) -> None:
        self._stream.defect = self._stream.defect or (slug, detail)


def _name(block: bytes) -> str:
    end = block.find(b"\0", 0, 100)
    name = block[: end if end >= 0 else 100]
    if block[345] and block[257:262] == b"ustar":
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
    """Whether the sum of a header's bytes, its own field taken as spaces, is what it says."""
    others = _sum(block[:256]) + _sum(block[256:]) - _sum(block[148:156])
    return _number(block[148:156]) == others + 8 * 0x20


def _sum(part: bytes) -> int:
    """The sum of at most 256 bytes: one half of Adler-32, which is modulo 65,521 (RFC 1950)."""
    return adler32(part, 0) & 0xFFFF


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
