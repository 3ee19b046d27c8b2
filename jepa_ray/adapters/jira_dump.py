"""The files of the Public Jira dump: an archive of `mongodump`, or the folder that it writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from jepa_ray.adapters.base import SourceFile, bounds
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
    codec_in,
    codec_of,
)
from jepa_ray.readers.mongodump import namespace_name
from jepa_ray.storage import open_source

ARCHIVES = ("public_jira/*.archive", "public_jira/*.archive.gz")
FOLDERS = ("public_jira/dump/**/*.bson", "public_jira/dump/**/*.bson.gz")
_BSON = (".bson", ".bson.gz", ".bson.zst")
_MAGIC_BYTES = 4


def is_dump(path: Path) -> bool:
    """Whether a file is named as part of a dump is."""
    return path.name.endswith((".archive", ".archive.gz", ".archive.zst", *_BSON))


def is_document(item: RawItem) -> bool:
    """Whether an item is a document of a dump: those have a name, and begin with their length."""
    return item.name != "" and int.from_bytes(item.data[:4], "little") == len(item.data)


def dump_blocks(file: SourceFile, config: PrepareConfig) -> Iterator[RawBlock]:
    """Raw blocks of an archive or a `.bson` file: an item a document, named by its namespace."""
    with open_source(file.path) as raw:
        documents = dump_documents(raw, file.path, config, {})
        yield from blocks_of(documents, config.raw_block_bytes)


def dump_documents(
    raw: BinaryIO, path: Path, config: PrepareConfig, namespaces: dict[str, Namespace]
) -> Iterator[RawItem | RawDefect]:
    """Documents of an archive or, by its name, of a `.bson` file.

    Args:
        raw: The open file, at its beginning.
        path: Its name decides the form; an archive may be compressed whatever its name says.
        config: A document larger than its `max_record_bytes` becomes a `record_too_large` defect.
        namespaces: Gets what was found in each, complete at the end.
    """
    limit = config.max_record_bytes
    head = raw.read(_MAGIC_BYTES)
    raw.seek(0)
    if not path.name.endswith(_BSON):
        stream = InputStream(raw, codec=codec_in(head), bounds=bounds(config))
        archive = MongoArchive(stream, max_document_bytes=limit)
        yield from archive.outcomes()
        namespaces |= archive.namespaces
        return
    name = namespace_of(path)
    count = namespaces.setdefault(name, Namespace())
    if not head and path.suffix == ".bson":  # an empty collection
        return
    stream = InputStream(raw, codec=codec_of(path.name), bounds=bounds(config))
    for outcome in bson_documents(stream, name, max_document_bytes=limit):
        count.documents += isinstance(outcome, RawItem) or outcome.slug == "record_too_large"
        yield outcome


def namespace_of(path: Path) -> str:
    """The namespace of a `.bson` file: its folder and its name."""
    collection = path.name.removesuffix(".gz").removesuffix(".zst").removesuffix(".bson")
    return namespace_name(path.parent.name, unquote(collection, errors="surrogateescape"))
