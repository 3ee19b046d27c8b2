"""What an adapter is: three functions over shards, and how one is found.

An adapter knows one dataset: `shards` lists what there is to read, `blocks` streams a shard as raw
blocks (cheap), `parse` turns raw items into activities (CPU-bound, pure). No ray, no torch: every
executor uses the same three.
"""

import os
import stat
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from jepa_ray.config import PrepareConfig
from jepa_ray.errors import StageError
from jepa_ray.readers import (
    Bounds,
    InputStream,
    RawBlock,
    RawDefect,
    RawItem,
    blocks_of,
    codec_of,
    json_elements,
    line_chunks,
)
from jepa_ray.storage import open_source
from jepa_ray.windows import ActivityBatch, NameHasher, Rejected

_PACKAGE = str(Path(__file__).parents[1])
_AT_ONCE = 16
"""Files that are asked for their size."""
_OF_CODE = (AssertionError, NotImplementedError)
"""Raised by the package itself, these are about an adapter's code, not about a record."""


@dataclass(frozen=True)
class SourceFile:
    """One raw file (or folder of small files, or group of some of them) of a dataset.

    Attributes:
        path: Where it is.
        label: What manifests, locators and logs call it: relative to the data root, no names.
        bytes: Its size.
        names: Of a group: its files below `path`, joined by NUL.
        mark: Of a group: a digest of what was listed. Nobody lists it again, so its reader has to
            tell when a file changed since.
    """

    path: Path
    label: str
    bytes: int
    names: str | None = None
    mark: str | None = None


@dataclass(frozen=True)
class Shard:
    """The unit of retry and of resume: files that one task reads in order."""

    index: int
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class SourceInfo:
    """What a user must know about a dataset.

    Attributes:
        dataset: Its name everywhere.
        group: The kind of source: calendar, code, mail, issues or tasks.
        path: Where its raw files lie, relative to the data root.
        licence: Of the raw data.
        how_to_get: Where it comes from.
        citation: What to cite.
        aliases: Other names that `--dataset` takes.
        extra: Prepared by name only; not one of the reference run's thirteen that `all` means.
        blocked: Why nobody can prepare it as it is; None: one can.
    """

    dataset: str
    group: str
    path: str
    licence: str
    how_to_get: str
    citation: str
    aliases: tuple[str, ...] = ()
    extra: bool = False
    blocked: str | None = None

    @property
    def trainable(self) -> bool:
        """Whether there can be windows to train on; if not, `blocked` says why."""
        return self.blocked is None


class Adapter(Protocol):
    """One dataset. Built once per process with the settings of the run."""

    info: ClassVar[SourceInfo]
    version: ClassVar[int]
    kind: ClassVar[str]

    def __init__(self, config: PrepareConfig) -> None: ...

    def shards(self, root: Path) -> list[Shard]:
        """What there is to read under a data root, in a stable order; [] when absent."""
        ...

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Stream one file of a shard as raw blocks in order. Never raises on bad content."""
        ...

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Turn raw items of one file into activities. Pure; never raises on bad content."""
        ...


class HistoryAdapter(Adapter, Protocol):
    """An adapter whose records tell more than one window says; only `actor_day` asks for it."""

    def activities(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Like `parse`; a record may give several activities, all but its first `expanded`."""
        ...


class NotReadableError(Exception):
    """A record that becomes a `Rejected`: the slug and a sentence without raw text."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(slug, detail)
        self.slug = slug
        self.detail = detail


def parse_block(
    adapter: Adapter, label: str, block: RawBlock, *, history: bool = False
) -> ActivityBatch:
    """One raw block's outcome, the reader's own defects included.

    Args:
        adapter: Of the dataset.
        label: Of the file that the block comes from.
        block: Items and defects.
        history: Ask for all activities of a record, where the adapter offers them.

    Raises:
        StageError: The adapter broke its promise and raised. The message names the line of its
            code, and does not repeat the exception's text: that may quote a record.
    """
    items = [item for item in block if isinstance(item, RawItem)]
    parse = getattr(adapter, "activities", adapter.parse) if history else adapter.parse
    try:
        batch: ActivityBatch = parse(label, items)
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
        raise StageError(_broken(adapter, label, items, error)) from None
    defects = [
        Rejected(f"{label}#{item.number}", item.slug, item.detail)
        for item in block
        if isinstance(item, RawDefect)
    ]
    return ActivityBatch.join(
        batch.kind,
        [batch, ActivityBatch.of(batch.kind, defects)] if defects else [batch],
    )


def _broken(adapter: Adapter, label: str, items: Sequence[RawItem], error: Exception) -> str:
    first = items[0].number if items else 0
    return (
        f"the adapter of {adapter.info.dataset} {raised(type(adapter), error)} on {label}, records "
        f"from {first} on; an adapter must reject a bad record, not raise: mend it, and try it on "
        "that file with its three functions"
    )


def raised(adapter: type[Adapter], error: Exception) -> str:
    """What an adapter raised and where: its own innermost line, or else that of what it called.

    The exception's text may quote a record; that of our own assertions quotes code, and is given.
    """
    frames = traceback.extract_tb(error.__traceback__)
    module = getattr(sys.modules.get(adapter.__module__), "__file__", None)
    frame = next((f for f in reversed(frames) if f.filename == module), frames[-1])
    ours = frames[-1].filename.startswith(_PACKAGE)
    said = f" ({error})" if ours and isinstance(error, _OF_CODE) else ""
    return f"raised {type(error).__name__}{said} at {Path(frame.filename).name}:{frame.lineno}"


def file_shards(root: Path, patterns: Sequence[str], *, shard_bytes: int = 0) -> list[Shard]:
    """Shards of all below `root` that matches, in the order of paths; what is no file included.

    Args:
        root: The data root.
        patterns: Globs relative to it; one that ends in `.gz` stands for `.zst` too.
        shard_bytes: Neighbours share a shard until it has this many bytes; 0: a file, a shard.
    """
    forms = [form for pattern in patterns for form in _forms(pattern)]
    paths = sorted({path for form in forms for path in root.glob(form)}, key=str)
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # each is a request to a store
        sizes = list(pool.map(_bytes, paths))
    names = [path.relative_to(root).as_posix() for path in paths]
    files = [SourceFile(*each) for each in zip(paths, names, sizes, strict=True)]
    return shards_of(files, shard_bytes)


def shards_of(
    files: Sequence[SourceFile],
    shard_bytes: int,
    weight: Callable[[SourceFile], int] = lambda file: file.bytes,
) -> list[Shard]:
    """Shards of some files in their order.

    Args:
        files: All there are.
        shard_bytes: Neighbours share a shard until it has this many bytes; 0: a file, a shard.
        weight: What counts as a file's bytes.
    """
    groups: list[list[SourceFile]] = []
    room = 0
    for file in files:
        room -= weight(file)
        if groups and room >= 0:
            groups[-1].append(file)
        else:
            groups.append([file])
            room = shard_bytes - weight(file)
    return [Shard(i, tuple(group)) for i, group in enumerate(groups)]


def _forms(pattern: str) -> tuple[str, ...]:
    return (
        (pattern, f"{pattern.removesuffix('.gz')}.zst") if pattern.endswith(".gz") else (pattern,)
    )


def _bytes(path: Any) -> int:
    """Size of a file; 0 where there is none, as of a dangling link: reading it will say so."""
    if isinstance(path, Path):
        return path.stat().st_size if path.is_file() else 0
    found: os.stat_result = path.stat()  # of a store; one request says all
    return 0 if stat.S_ISDIR(found.st_mode) else found.st_size


@contextmanager
def source_stream(path: Path, config: PrepareConfig) -> Iterator[InputStream]:
    """The bytes of a raw file, decompressed as its name promises, within the bounds of `config`.

    Raises:
        OSError: The file cannot be opened.
        StageError: An object store failed.
    """
    with open_source(path) as raw:
        yield InputStream(raw, codec=codec_of(path.name), bounds=bounds(config))


def bounds(config: PrepareConfig) -> Bounds:
    """How far a compressed file may expand."""
    return Bounds(ratio=config.max_expansion, bytes=config.max_source_bytes)


def line_blocks(file: SourceFile, config: PrepareConfig) -> Iterator[RawBlock]:
    """Raw blocks of a file of lines."""
    with source_stream(file.path, config) as stream:
        lines = line_chunks(stream, max_line_bytes=config.max_record_bytes)
        yield from blocks_of(lines, config.raw_block_bytes)


def json_blocks(file: SourceFile, config: PrepareConfig) -> Iterator[RawBlock]:
    """Raw blocks of a JSON file: an array's elements, or the document; neither is too large."""
    with source_stream(file.path, config) as stream:
        elements = json_elements(stream, max_bytes=config.max_record_bytes)
        yield from blocks_of(elements, config.raw_block_bytes)


def whole_file(file: SourceFile, config: PrepareConfig) -> Iterator[RawBlock]:
    """A file as one item, unless it is too large."""
    limit = config.max_record_bytes
    with source_stream(file.path, config) as stream:
        data = stream.read(limit + 1)
    if stream.defect:
        yield [RawDefect(1, *stream.defect)]
    elif len(data) > limit:
        yield [RawDefect(1, "record_too_large", f"the file is larger than {limit} bytes")]
    else:
        yield [RawItem(1, "", data)]


def name_hasher(config: PrepareConfig) -> NameHasher:
    """The salted hasher of a run."""
    return NameHasher(config.actor_salt)
