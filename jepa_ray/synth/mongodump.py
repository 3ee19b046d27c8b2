"""Archives as `mongodump --archive` writes them: framing only, the documents are the caller's.

Source: mongo-tools, `common/archive`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import bson
from bson.int64 import Int64
from fastcrc import crc64

_MAGIC = (0x8199E26D).to_bytes(4, "little")
_END = b"\xff\xff\xff\xff"
_INDEXES = '{"options":{},"indexes":[{"v":2,"key":{"_id":1},"name":"_id_"}]}'


def prelude(database: str, collections: Iterable[str]) -> bytes:
    """Everything before the first segment."""
    documents = [_header(), *(_metadata(database, name) for name in collections)]
    return _MAGIC + b"".join(map(bson.encode, documents)) + _END


def segment(database: str, collection: str, documents: bytes) -> bytes:
    """Some documents of a collection, given as BSON one after the other."""
    return _namespace(database, collection, None) + documents + _END


def ending(database: str, collection: str, checksum: int) -> bytes:
    """What says that a collection has no more documents.

    Args:
        database: Its name.
        collection: Its name.
        checksum: CRC-64/XZ of all bytes of its documents.
    """
    return _namespace(database, collection, checksum) + _END


class ArchiveWriter:
    """Writes one archive of one database."""

    def __init__(
        self, write: Callable[[bytes], object], database: str, collections: Iterable[str]
    ) -> None:
        """Write everything before the first segment.

        Args:
            write: Takes the uncompressed bytes.
            database: Its name.
            collections: All that there will be.
        """
        self._write = write
        self._database = database
        self._checksums: Counter[str] = Counter()
        write(prelude(database, collections))

    def segment(self, collection: str, documents: bytes) -> None:
        """Some documents, as BSON one after the other; those of other collections may follow."""
        self._checksums[collection] = crc64.xz(documents, self._checksums[collection])
        self._write(segment(self._database, collection, documents))

    def end(self, collection: str) -> None:
        """Say that a collection has no more documents, and their checksum."""
        self._write(ending(self._database, collection, self._checksums[collection]))


def _metadata(database: str, collection: str) -> dict[str, Any]:
    return {
        "db": database,
        "collection": collection,
        "metadata": _INDEXES,
        "size": 0,
        "type": "collection",
    }


def _namespace(database: str, collection: str, checksum: int | None) -> bytes:
    signed = Int64(((checksum or 0) + 2**63) % 2**64 - 2**63)
    end = checksum is not None
    return bson.encode({"db": database, "collection": collection, "EOF": end, "CRC": signed})


def _header() -> dict[str, Any]:
    return {
        "concurrent_collections": 4,
        "version": "0.1",
        "server_version": "5.0.5",
        "tool_version": "100.5.1",
    }
