"""Which files an archive has and which pieces they are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jepa_ray.synth.bulk import gharchive, jira, mail
from jepa_ray.synth.bulk.crc64 import combine
from jepa_ray.synth.bulk.piece import Checksum, Content, Packed, Piece, pack
from jepa_ray.synth.bulk.tar_blocks import END
from jepa_ray.synth.mongodump import ending as mongodump_ending
from jepa_ray.synth.mongodump import prelude

_PIECE_BYTES = 16 << 20
_EVENTS_AN_HOUR = 120_000
"""At the busiest; an hour of 2015 had a tenth of it, one of today up to twice as many."""
_LOAD = (
    0.62, 0.58, 0.56, 0.56, 0.58, 0.61, 0.66, 0.74, 0.81, 0.86, 0.87, 0.85, 0.87, 0.93, 0.99, 1.0,
    0.99, 0.95, 0.91, 0.88, 0.86, 0.81, 0.74, 0.67,
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """An archive to be made.

    Attributes:
        dataset: One of `BULK`.
        seed: From 0 up.
        records: How many, 1 or more.
        defects: Share of them with a defect, from 0 to 1.
    """

    dataset: str
    seed: int
    records: int
    defects: float = 0.0

    def files(self) -> list["RawFile"]:
        """What it consists of, in order; the same order gives the same."""
        return _KINDS[self.dataset].files(self)


@dataclass(frozen=True)
class RawFile:
    """A file to be made: `before`, the pieces, and what `ending` says then.

    Attributes:
        path: Below the data root.
        before: Bytes before the first piece, not compressed.
        pieces: In order.
    """

    path: str
    before: bytes
    pieces: tuple[Piece, ...]


class _Kind(NamedTuple):
    make: Callable[[Piece], Content]
    files: Callable[[Order], list[RawFile]]
    mean_bytes: int


def records_of(dataset: str, size: int) -> int:
    """How many records have about this many bytes before compression, at least one."""
    return max(1, size // _KINDS[dataset].mean_bytes)


def make(piece: Piece) -> Packed:
    """A piece as one gzip member, and the account of it."""
    return pack(_KINDS[piece.dataset].make(piece))


def together(
    checksums: Mapping[str, Checksum], more: Mapping[str, Checksum]
) -> dict[str, Checksum]:
    """The checksums by collection after another piece."""
    return dict(checksums) | {
        name: combine(checksums.get(name, Checksum()), found) for name, found in more.items()
    }


def ending(dataset: str, checksums: Mapping[str, Checksum]) -> bytes:
    """What stands after the last piece of a file, not compressed.

    Args:
        dataset: Its name.
        checksums: Of all documents before, by collection.
    """
    if dataset == "public_jira":
        return b"".join(
            mongodump_ending(jira.DATABASE, name, checksums.get(name, Checksum()).value)
            for name in jira.COLLECTIONS
        )
    return END if dataset == "enron_maildir" else b""


def _hours(order: Order) -> list[RawFile]:
    """Consecutive hours, full until the last."""
    found: list[RawFile] = []
    left, number = order.records, 0
    while left:
        hour = len(found)
        events = min(left, int(_EVENTS_AN_HOUR * _LOAD[hour % len(_LOAD)]))
        pieces = _pieces(order, events, number, hour)
        found.append(RawFile(gharchive.file_name(hour), b"", pieces))
        left, number = left - events, number + len(pieces)
    return found


def _one(path: str, before: bytes) -> Callable[[Order], list[RawFile]]:
    """A single file."""
    return lambda order: [RawFile(path, before, _pieces(order, order.records, 0, 0))]


def _pieces(order: Order, records: int, number: int, file: int) -> tuple[Piece, ...]:
    """As many pieces as it takes, all but the last of the same number of records."""
    size = _PIECE_BYTES // _KINDS[order.dataset].mean_bytes
    return tuple(
        Piece(
            order.dataset, order.seed, number + n, min(size, records - first), order.defects, file,
            first / records, min(records, first + size) / records,
        )
        for n, first in enumerate(range(0, records, size))
    )  # fmt: skip


_KINDS = {
    "enron_maildir": _Kind(mail.make, _one(mail.FILE_NAME, b""), mail.MEAN_BYTES),
    "gharchive": _Kind(gharchive.make, _hours, gharchive.MEAN_BYTES),
    "public_jira": _Kind(
        jira.make,
        _one(jira.FILE_NAME, prelude(jira.DATABASE, jira.COLLECTIONS)),
        jira.MEAN_BYTES,
    ),
}
BULK: tuple[str, ...] = tuple(_KINDS)
"""Datasets whose archives can have any size."""
