"""Documents of a `mongodump`: its archive form, or `.bson` files, without a MongoDB server.

An archive is a magic number, a header, a document for each collection, an end mark; then segments:
a namespace header `{db, collection, EOF, CRC}`, documents, an end mark. Collections may alternate.
The header whose EOF is true ends a collection; its CRC is that of all bytes of its documents.
A view has no segment and no end, unless it was dumped as a collection; a time series has them under
the name of its buckets.

Unusual choice: where a length cannot be, the rest is given up. Nothing in the format says where the
next segment begins, and a search for it would find what documents hold.

Source: mongo-tools, `common/archive` (spec.md, prelude.go, parser.go, demultiplexer.go). The
checksum is Go's crc64 with the ECMA polynomial, known elsewhere as CRC-64/XZ.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import InvalidBSON
from fastcrc import crc64

from jepa_ray.readers.bson_frames import END_MARK, BsonFrames, FramingError
from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.readers.stream import InputStream

MAGIC = (0x8199E26D).to_bytes(4, "little")
_MAX_HEADER = 64 << 10
_MAX_METADATA = 16 << 20
_MAX_NAME = 1 << 10
_MAX_NAMESPACES = 20_000
_WRAP = 1 << 64
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS,
    unicode_decode_error_handler="surrogateescape",
)


def namespace_name(database: str, collection: str) -> str:
    """The name `db.collection`; a dot of the database is written `%2E`, so the first parts the two.

    MongoDB itself allows none there, but whoever renames the folder of a dump may.
    """
    return f"{database.replace('%', '%25').replace('.', '%2E')}.{collection}"


@dataclass
class Namespace:
    """One collection of an archive.

    Attributes:
        documents: Found in it, those that are too large included.
        crc_ok: Whether the checksum at its end is right; None: its end is not there (yet).
    """

    documents: int = 0
    crc_ok: bool | None = None


class MongoArchive:
    """One walk over an archive; memory is bounded by the largest document.

    Attributes:
        namespaces: By `namespace_name`, those of the prelude included; complete after the walk.
    """

    def __init__(self, stream: InputStream, *, max_document_bytes: int) -> None:
        """Wrap a stream.

        Args:
            stream: The decompressed archive.
            max_document_bytes: A larger document becomes a `record_too_large` defect.
        """
        self.namespaces: dict[str, Namespace] = {}
        self._stream = stream
        self._limit = max_document_bytes
        self._frames = BsonFrames(stream, crc64.xz)
        self._checksums: dict[str, int] = {}
        self._endless: set[str] = set()
        self._number = 0

    def outcomes(self) -> Iterator[RawItem | RawDefect]:
        """Walk over it, once.

        Yields:
            A `RawItem` for each document, named by its collection; a `RawDefect` for a document
            that is too large, a checksum that is wrong (`crc_mismatch`), a collection whose end
            is missing (`missing_eof`), and the place where the archive cannot be read on. All of
            them are numbered from 1 in one row.
        """
        try:
            yield from self._prelude()
            while (header := self._frames.frame(_MAX_HEADER)) is not None:
                yield from self._segment(header)
        except FramingError as error:
            yield self._defect(error.slug, error.detail)
            return
        if self._stream.defect:
            yield self._defect(*self._stream.defect)
        for name, namespace in self.namespaces.items():
            if namespace.crc_ok is None and name not in self._endless:
                yield self._defect("missing_eof", f"the archive has no end of {_shown(name)}")

    def _prelude(self) -> Iterator[RawDefect]:
        magic = self._frames.raw(len(MAGIC))
        if magic != MAGIC:
            foreign = ("not_mongodump", "the file does not begin as an archive of mongodump does")
            cut = ("truncated_stream", "the archive ends inside its magic number")
            raise FramingError(*(self._stream.defect or (foreign if len(magic) == 4 else cut)))
        while (metadata := self._frames.frame(_MAX_METADATA)) != END_MARK:
            if metadata is None:
                raise self._open_end("the prelude")
            found = _decoded(metadata)
            if found is None:
                yield self._defect("damaged_metadata", "a document of the prelude is not readable")
            elif _is_namespace(found):
                name, _ = self._namespace(found)
                self._endless |= {name} if _has_no_data(found) else set()

    def _segment(self, header: bytes | int) -> Iterator[RawItem | RawDefect]:
        """What follows one namespace header."""
        found = _decoded(header)
        if found is None or not _is_namespace(found):
            raise FramingError("damaged_header", "a segment begins with no namespace header")
        name, namespace = self._namespace(found)
        self._endless.discard(name)
        checksum = self._checksums.pop(name, 0)
        if found.get("EOF"):
            namespace.crc_ok = found.get("CRC", 0) % _WRAP == checksum
            checksum = 0
            if not namespace.crc_ok:
                detail = f"{_shown(name)}: its {namespace.documents} documents are not those dumped"
                yield self._defect("crc_mismatch", detail)
        self._frames.begin(checksum)
        yield from self._documents(name, namespace)

    def _documents(self, name: str, namespace: Namespace) -> Iterator[RawItem | RawDefect]:
        """The documents up to the end mark."""
        frame, limit = self._frames.frame, self._limit
        while (document := frame(limit)) != END_MARK:
            if document is None:
                raise self._open_end(f"a segment of {_shown(name)}")
            namespace.documents += 1
            namespace.crc_ok = None
            if isinstance(document, bytes):
                self._number += 1
                yield RawItem(self._number, name, document)
            else:
                yield self._defect("record_too_large", _too_large(document, limit))
        if checksum := self._frames.checksum():
            self._checksums[name] = checksum

    def _namespace(self, header: dict[str, Any]) -> tuple[str, Namespace]:
        name = namespace_name(header["db"], header["collection"])
        if name not in self.namespaces:
            if len(name) > _MAX_NAME or len(self.namespaces) >= _MAX_NAMESPACES:
                detail = (
                    f"over {_MAX_NAMESPACES} collections, or a name over {_MAX_NAME} characters"
                )
                raise FramingError("damaged_header", detail)
            self.namespaces[name] = Namespace()
        return name, self.namespaces[name]

    def _open_end(self, where: str) -> FramingError:
        missing = ("missing_terminator", f"the archive ends before the end mark of {where}")
        return FramingError(*(self._stream.defect or missing))

    def _defect(self, slug: str, detail: str) -> RawDefect:
        self._number += 1
        return RawDefect(self._number, slug, detail)


def bson_documents(
    stream: InputStream, namespace: str, *, max_document_bytes: int
) -> Iterator[RawItem | RawDefect]:
    """Documents of a `.bson` file: they follow each other, and there is no checksum.

    Args:
        stream: The decompressed file.
        namespace: Name of the items, as `namespace_name` has it.
        max_document_bytes: A larger document becomes a `record_too_large` defect.

    Yields:
        A `RawItem` for each document; a `RawDefect` where one is too large, and where the file
        cannot be read on.
    """
    frames = BsonFrames(stream)
    number = 0
    try:
        while (document := frames.frame(max_document_bytes)) is not None:
            number += 1
            if isinstance(document, bytes):
                yield RawItem(number, namespace, document)
            elif document == END_MARK:
                yield RawDefect(number, "bad_length", "a document cannot have -1 bytes")
                return
            else:
                detail = _too_large(document, max_document_bytes)
                yield RawDefect(number, "record_too_large", detail)
    except FramingError as error:
        yield RawDefect(number + 1, error.slug, error.detail)
        return
    if stream.defect:
        yield RawDefect(number + 1, *stream.defect)


def _decoded(document: bytes | int) -> dict[str, Any] | None:
    """A document of the framing; None where it is too large or no BSON."""
    if isinstance(document, int):
        return None
    try:
        return bson.decode(document, _OPTIONS)
    except (InvalidBSON, ValueError, TypeError, RecursionError, OverflowError):
        return None


def _is_namespace(found: dict[str, Any]) -> bool:
    """Whether the fields that a namespace header has are of the right types, as far as there."""
    return (
        isinstance(found.get("db"), str)
        and isinstance(found.get("collection"), str)
        and isinstance(found.get("EOF", False), bool)
        and isinstance(found.get("CRC", 0), int)
    )


def _has_no_data(found: dict[str, Any]) -> bool:
    """Whether a document of the prelude describes a view or a time series.

    Older ones say so in `metadata` only, which is JSON.
    """
    try:
        metadata = json.loads(found.get("metadata") or "{}")
    except (TypeError, ValueError, RecursionError):
        metadata = {}
    inner = metadata if isinstance(metadata, dict) else {}
    options = inner.get("options")
    view = isinstance(options, dict) and bool({"viewOn", "timeseries"} & options.keys())
    return view or not {"view", "timeseries"}.isdisjoint(
        kind for kind in (found.get("type"), inner.get("type")) if isinstance(kind, str)
    )


def _too_large(size: int, limit: int) -> str:
    return f"a document of {size} bytes; the limit is {limit}"


def _shown(name: str) -> str:
    """A namespace in a message."""
    return ascii(name)[:120]
