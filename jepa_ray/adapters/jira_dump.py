"""The files of the Public Jira dump: an archive of `mongodump`, or the folder that it writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from jepa_ray.adapters.base import SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import (
    InputStream,
    MongoArchive,
    Namespace,
    RawBlock,
    RawDefect,
    RawItem,
    blocks_of,
    bson_documents,
)

ARCHIVES = ("public_jira/*.archive", "public_jira/*.archive.gz")
FOLDERS = ("public_jira/dump/**/*.bson", "public_jira/dump/**/*.bson.gz")
_BSON = (".bson", ".bson.gz")
_GZIP_MAGIC = b"\x1f\x8b"


def is_dump(path: Path) -> bool:
    """Whether a file is named as part of a dump is."""
    return path.name.endswith((".archive", ".archive.gz", *_BSON))


def is_document(item: RawItem) -> bool:
    """Whether an item is a document of a dump: those have a name, and begin with their length."""
    return item.name != "" and int.from_bytes(item.data[:4], "little") == len(item.data)


def dump_blocks(file: SourceFile, config: PrepareConfig) -> Iterator[RawBlock]:
    """Raw blocks of an archive or a `.bson` file: an item a document, named by its namespace."""
    with file.path.open("rb") as raw:
        documents = dump_documents(raw, file.path, config.max_record_bytes, {})
        yield from blocks_of(documents, config.raw_block_bytes)


def dump_documents(
    raw: BinaryIO, path: Path, max_document_bytes: int, namespaces: dict[str, Namespace]
) -> Iterator[RawItem | RawDefect]:
    """Documents of an archive or, by its name, of a `.bson` file.

    Args:
        raw: The open file, at its beginning.
        path: Its name decides the form; an archive may be compressed whatever its name says.
        max_document_bytes: A larger document becomes a `record_too_large` defect.
        namespaces: Gets what was found in each, complete at the end.
    """
    head = raw.read(len(_GZIP_MAGIC))
    raw.seek(0)
    if not path.name.endswith(_BSON):
        stream = InputStream(raw, gzipped=head == _GZIP_MAGIC)
        archive = MongoArchive(stream, max_document_bytes=max_document_bytes)
        yield from archive.outcomes()
        namespaces |= archive.namespaces
        return
    name = namespace_of(path)
    count = namespaces.setdefault(name, Namespace())
    if not head and path.suffix == ".bson":  # an empty collection
        return
    stream = InputStream(raw, gzipped=path.suffix == ".gz")
    for outcome in bson_documents(stream, name, max_document_bytes=max_document_bytes):
        count.documents += isinstance(outcome, RawItem) or outcome.slug == "record_too_large"
        yield outcome


def namespace_of(path: Path) -> str:
    """The "db.collection" of a `.bson` file: its folder and its name."""
    collection = path.name.removesuffix(".gz").removesuffix(".bson")
    return f"{path.parent.name}.{unquote(collection, errors='surrogateescape')}"
