"""What there is to import: folders of JSON records, a dataset each."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from jepa_ray.errors import SourceError
from jepa_ray.exchange.sides import PACKED, SIDES, Content, check_account, side_files
from jepa_ray.readers import Bounds, InputStream, RawBlock, blocks_of, codec_of, line_chunks
from jepa_ray.storage import (
    GuardedStream,
    exists,
    join,
    list_names,
    list_sizes,
    resolve,
    store_faults,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_TAKEN = ("all", "combined")
_MAX_LINE_BYTES = 16 << 20
_BLOCK_BYTES = 16 << 20
_PIECE = 1 << 20
_UNBOUNDED = Bounds(ratio=1 << 20, bytes=1 << 60)
"""Records that repeat are packed 250:1 and more; memory is bounded by the line whatever they do."""


@dataclass(frozen=True)
class SourceRecords:
    """One file of JSON records.

    Attributes:
        url: Path or URL.
        label: What manifests and locators call it: its name.
        bytes: Its size.
        fingerprint: Hex, of its whole content.
    """

    url: str
    label: str
    bytes: int
    fingerprint: str

    @contextmanager
    def blocks(self) -> Iterator[Iterator[RawBlock]]:
        """Its lines, about 16 MiB of text at a time; a damaged file ends early, with a defect.

        Raises:
            StageError: The disk or store failed, now or as blocks are taken.
        """
        with _opened(self.url) as raw:
            stream = InputStream(raw, codec=codec_of(self.url), bounds=_UNBOUNDED)
            lines = line_chunks(stream, max_line_bytes=_MAX_LINE_BYTES)
            yield blocks_of(lines, _BLOCK_BYTES)


def find_records(folder: str, names: list[str] | None) -> dict[str, list[SourceRecords]]:
    """The files of each dataset below a folder, `train` first.

    Args:
        folder: Path or URL; `<folder>/<dataset>/train.jsonl.gz` and `val.jsonl.gz`, or `.jsonl`.
        names: Datasets; None: all.

    Raises:
        SourceError: There is none, one asked for is not there, a name cannot be a dataset's, a
            side is there both packed and plain, or files are not those of the export.json beside.
        StageError: The disk or store failed.
    """
    with store_faults(f"reading {folder}"):
        there = _datasets(folder)
        chosen = there if names is None else [name for name in names if name in there]
        found = {name: records for name in chosen if (records := _files(folder, name))}
    absent = [name for name in names or () if name not in found]
    if absent or not found:
        files = " or ".join(f"<dataset>/{file}" for side in SIDES for file in side_files(side))
        raise SourceError(
            f"{folder} holds no records{' of ' + ', '.join(absent) if absent else ''}: looked for "
            f"{files}"
        )
    return found


def _datasets(folder: str) -> list[str]:
    """Names of the folders in a folder."""
    if not exists(folder):
        raise SourceError(f"{folder} does not exist; give the folder that `jepa-ray export` wrote")
    fs, path = resolve(folder)
    names = list_names(folder)
    found = [name for name in names if fs.isdir(f"{path.rstrip('/')}/{name}")]
    stray = [file for side in SIDES for file in side_files(side) if file in names]
    if stray and not found:
        raise SourceError(
            f"{folder} holds {stray[0]} itself and is the folder of one dataset; give the folder "
            "above it"
        )
    return found


def _files(folder: str, name: str) -> list[SourceRecords]:
    home = join(folder, name)
    sizes = list_sizes(home)
    files = []
    for side in SIDES:
        there = [file for file in side_files(side) if file in sizes]
        if len(there) > 1:
            raise SourceError(f"{home} holds both {' and '.join(there)}: remove one")
        files += there
    if files and (not _NAME.fullmatch(name) or name in _TAKEN):
        raise SourceError(
            f"{home}: {name!r} cannot be the name of a dataset; use letters, digits, '.', '-' and "
            f"'_', 128 at most, and none of {', '.join(_TAKEN)}"
        )
    contents = {file: _content(join(home, file)) for file in files}
    check_account(home, contents)
    return [
        SourceRecords(join(home, file), file, sizes[file], contents[file].fingerprint)
        for file in files
        if sizes[file] or file.endswith(PACKED)  # a plain file of no bytes is a side of no records
    ]


@contextmanager
def _opened(url: str) -> Iterator[BinaryIO]:
    fs, path = resolve(url)
    with store_faults(f"reading {url}"):
        raw = fs.open(path, "rb")
    with raw:
        yield cast("BinaryIO", GuardedStream(raw, url))


def _content(url: str) -> Content:
    state, digest, lines = hashlib.blake2b(digest_size=16), hashlib.sha256(), 0
    with _opened(url) as raw:
        while piece := raw.read(_PIECE):
            state.update(piece)
            digest.update(piece)
            lines += piece.count(b"\n")
    return Content(state.hexdigest(), digest.hexdigest(), lines)
