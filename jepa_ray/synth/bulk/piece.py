"""A piece: some neighbouring records of an archive, made without knowing the others."""

from dataclasses import dataclass, field

from isal import isal_zlib

from jepa_ray.synth.bulk.expected import Expected

_LEVEL = 2
_GZIP_WBITS = 31


@dataclass(frozen=True)
class Piece:
    """Which records to make; the same piece gives the same bytes anywhere.

    Attributes:
        dataset: Its name.
        seed: Of the archive.
        number: Of the piece among all of the archive, from 0.
        records: How many, as the adapter counts them.
        defects: Share of records with a defect, from 0 to 1.
        file: Number of the file that it belongs to, from 0.
        begin, end: Which part of that file's records it is, from 0 to 1.
    """

    dataset: str
    seed: int
    number: int
    records: int
    defects: float
    file: int = 0
    begin: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Checksum:
    """CRC-64/XZ of some bytes, and how many there are."""

    value: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Content:
    """What a piece is.

    Attributes:
        data: Its bytes, as the file has them before compression.
        expected: What prepare has to make of it.
        checksums: Of its documents by collection; only a dump has them.
    """

    data: bytes
    expected: Expected
    checksums: dict[str, Checksum] = field(default_factory=dict)


@dataclass(frozen=True)
class Packed:
    """A piece as it goes into the file.

    Attributes:
        data: One gzip member.
        raw_bytes: Before compression.
        expected, checksums: As those of `Content`.
    """

    data: bytes
    raw_bytes: int
    expected: Expected
    checksums: dict[str, Checksum]


def gzip_member(data: bytes) -> bytes:
    """Some bytes as a gzip stream of their own; several in a row are one stream again."""
    return bytes(isal_zlib.compress(data, _LEVEL, _GZIP_WBITS))


def pack(content: Content) -> Packed:
    """Compress a piece."""
    data = gzip_member(content.data)
    return Packed(data, len(content.data), content.expected, content.checksums)
