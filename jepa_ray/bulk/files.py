"""The files of one order, put together from pieces."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jepa_ray.synth.bulk import (
    Checksum,
    Expected,
    Order,
    Packed,
    Piece,
    RawFile,
    ending,
    gzip_member,
    together,
)


def written(
    order: Order,
    root: Path,
    maker: Callable[[Iterable[Piece]], Iterator[Packed]],
    progress: Callable[[str, int], None],
) -> dict[str, Any]:
    """Write all files of an order below a folder.

    Args:
        order: What to make.
        root: The folder.
        maker: Makes pieces, in the order in which they are given.
        progress: Told (dataset, records so far).

    Returns:
        What prepare has to make of them, and `raw_bytes`: how much they are before compression.
    """
    files = order.files()
    found = maker(piece for file in files for piece in file.pieces)
    total, raw_bytes = Expected(), 0
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        for packed in _file(order, file, path, found):
            total = Expected.merge([total, packed.expected])
            raw_bytes += packed.raw_bytes
            progress(order.dataset, total.records)
    return total.document() | {"raw_bytes": raw_bytes}


def _file(order: Order, file: RawFile, path: Path, found: Iterator[Packed]) -> Iterator[Packed]:
    """Write one file; yields its pieces, with what stands around them as the last."""
    checksums: dict[str, Checksum] = {}
    with path.open("wb") as stream:
        if file.before:
            stream.write(gzip_member(file.before))
        for _ in file.pieces:
            packed = next(found)
            stream.write(packed.data)
            checksums = together(checksums, packed.checksums)
            yield packed
        end = ending(order.dataset, checksums)
        if end:
            stream.write(gzip_member(end))
        stream.flush()
        os.fsync(stream.fileno())
    yield Packed(b"", len(file.before) + len(end), Expected(), {})
