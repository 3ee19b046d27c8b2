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
    path: str | None = None
    pax_size: int | None = None
    lost = False
    while True:
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK or block == _ZEROS:
            break
        if not _checksum_ok(block):
            if not lost:
                yield RawDefect(
                    number, "damaged_tar_header", "a member's header has a bad checksum"
                )
                number += 1
            lost = True
            continue
        lost = False
        kind = block[156:157]
        size = _number(block[124:136])
        if kind in (b"L", b"x", b"g", b"K") and 0 <= size <= _MAX_META:
            meta = stream.read(_padded(size))[:size]
            if kind == b"L":
                path = meta.rstrip(b"\0").decode("utf-8", "surrogateescape")
            elif kind == b"x":
                path, pax_size = _pax(meta, path)
            continue
        name, size = path or _name(block), size if pax_size is None else pax_size
        path = pax_size = None
        if kind == _DIRECTORY:
            continue
        outcome = _member(stream, number, name, kind, size, max_member_bytes)
        if outcome is None:
            break
        yield outcome
        number += 1
    if not stream.defect and block and len(block) < _BLOCK:
        stream.defect = ("truncated_stream", "the archive ends inside a member")
    if block == _ZEROS:
        while stream.read(1 << 20):  # to the end: a gzip checksum is only tested there
            pass
    if stream.defect:
        yield RawDefect(number, *stream.defect)


def _member(
    stream: InputStream, number: int, name: str, kind: bytes, size: int, limit: int
) -> RawItem | RawDefect | None:
    """One member's outcome; None where the stream ends inside it."""
    if kind not in _FILE:
        stream.skip(_padded(max(size, 0)) if kind not in (b"1", b"2") else 0)
        return RawDefect(number, "unsafe_member", f"links and devices are refused (type {kind!r})")
    if size < 0:
        return RawDefect(number, "damaged_tar_header", "a member's size is not a number")
    unsafe = name.startswith("/") or ".." in name.split("/")
    if unsafe or size > limit:
        if stream.skip(_padded(size)) < size:
            return _cut(stream)
        if unsafe:
            return RawDefect(number, "unsafe_member", "the name is absolute or holds '..'")
        return RawDefect(number, "record_too_large", f"the member is larger than {limit} bytes")
    data = stream.read(_padded(size))
    if len(data) < size:
        return _cut(stream)
    return RawItem(number, name, data[:size])


def _cut(stream: InputStream) -> None:
    if not stream.defect:
        stream.defect = ("truncated_stream", "the archive ends inside a member")


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


def _pax(meta: bytes, path: str | None) -> tuple[str | None, int | None]:
    """Path and size of a pax header; what it does not say stays as it was."""
    size: int | None = None
    while meta:
        digits, _, rest = meta.partition(b" ")
        if not digits.isdigit() or not 0 < int(digits[:9]) <= len(meta):
            break
        key, _, value = rest[: int(digits) - len(digits) - 2].partition(b"=")
        if key == b"path":
            path = value.decode("utf-8", "surrogateescape")
        elif key == b"size" and value.isdigit():
            size = int(value[:18])
        meta = meta[int(digits) :]
    return path, size
