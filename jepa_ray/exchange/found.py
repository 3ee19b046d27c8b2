"""What there is to import: folders of JSON records, a dataset each."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fsspec.core import url_to_fs

from jepa_ray.errors import SourceError
from jepa_ray.exchange.sides import PACKED, SIDES, side_files
from jepa_ray.readers import InputStream, RawBlock, blocks_of, codec_of, line_chunks
from jepa_ray.storage import exists, join, list_names, list_sizes

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_TAKEN = ("all", "combined")
_MAX_LINE_BYTES = 16 << 20
_BLOCK_BYTES = 16 << 20
_PIECE = 1 << 20


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
        """Its lines, about 16 MiB of text at a time; a damaged file ends early, with a defect."""
        fs, path = url_to_fs(self.url)
        with fs.open(path, "rb") as raw:
            stream = InputStream(raw, codec=codec_of(self.url))
            lines = line_chunks(stream, max_line_bytes=_MAX_LINE_BYTES)
            yield blocks_of(lines, _BLOCK_BYTES)


def find_records(folder: str, names: list[str] | None) -> dict[str, list[SourceRecords]]:
    """The files of each dataset below a folder, `train` first.

    Args:
        folder: Path or URL; `<folder>/<dataset>/train.jsonl.gz` and `val.jsonl.gz`, or `.jsonl`.
        names: Datasets; None: all.

    Raises:
        SourceError: There is none, one asked for is not there, a name cannot be a dataset's, or a
            side is there both packed and plain.
    """
    if not exists(folder):
        raise SourceError(f"{folder} does not exist; give the folder that `jepa-ray export` wrote")
    chosen = list_names(folder) if names is None else names
    found = {name: _files(folder, name) for name in chosen}
    absent = [name for name in names or () if not found[name]]
    if absent or not any(found.values()):
        files = " or ".join(f"<dataset>/{file}" for side in SIDES for file in side_files(side))
        raise SourceError(
            f"{folder} holds no records{' of ' + ', '.join(absent) if absent else ''}: looked for "
            f"{files}"
        )
    return {name: files for name, files in found.items() if files}


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
    return [
        SourceRecords(join(home, file), file, sizes[file], _content(join(home, file)))
        for file in files
        if sizes[file] or file.endswith(PACKED)  # a plain file of no bytes is a side of no records
    ]


def _content(url: str) -> str:
    fs, path = url_to_fs(url)
    state = hashlib.blake2b(digest_size=16)
    with fs.open(path, "rb") as raw:
        while piece := raw.read(_PIECE):
            state.update(piece)
    return state.hexdigest()
