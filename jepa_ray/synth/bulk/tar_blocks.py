"""Members of a tar in the ustar form, each in whole blocks of 512 bytes."""

BLOCK = 512
FILE, FOLDER, LINK = b"0", b"5", b"2"
_CHECKSUM = slice(148, 156)
END = bytes(2 * BLOCK)
"""The end mark of an archive."""
_LINE = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0        %b%bustar\x0000root"


def member(name: bytes, kind: bytes = FILE, content: bytes = b"") -> bytes:
    """One member.

    Args:
        name: Its path, at most 100 bytes.
        kind: `FILE`, `FOLDER` or `LINK`.
        content: Of a file.
    """
    mode = 0o755 if kind == FOLDER else 0o644
    start = _LINE % (name.ljust(100, b"\0"), mode, 0, 0, len(content), 0, kind, bytes(100))
    header = bytearray(start.ljust(297, b"\0") + b"root".ljust(BLOCK - 297, b"\0"))
    header[_CHECKSUM] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % BLOCK)


def damaged(block: bytes) -> bytes:
    """The same member with a checksum that is wrong."""
    return block[: _CHECKSUM.start] + b"7777777 " + block[_CHECKSUM.stop :]
