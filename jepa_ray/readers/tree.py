"""A tree of many small files on a disk: listed once, read in groups.

Whoever lists it keeps, of a group, the names as one string and a digest of names, sizes
and times of change. Whoever reads it makes the same digest from what it finds, and so tells whether
a file changed in between without listing anything again.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jepa_ray.errors import StageError
from jepa_ray.readers.raw import RawDefect, RawItem
from jepa_ray.storage import open_source

_PATH_MAX = 4096  # of Linux, with the byte that ends it
_CHANGED = "a file of it changed while it was read; run again once it rests"
FILE_WEIGHT = 4 << 10
"""What opening a file costs, as bytes read."""


@dataclass(frozen=True)
class FileGroup:
    """Some files of one folder.

    Attributes:
        folder: The first step of their names.
        names: Relative to the top of the tree, in order, joined by NUL; a link counts as a file.
        bytes: Of all of them.
        weight: The same, with `FILE_WEIGHT` for each file.
        digest: Of names, sizes and times of change, in hex (32 digits).
    """

    folder: str
    names: str
    bytes: int
    weight: int
    digest: str


def list_groups(top: Path, *, max_weight: int) -> Iterator[FileGroup]:
    """List a tree.

    Args:
        top: A folder on a disk.
        max_weight: A group ends with the file that takes it there.

    Yields:
        Groups in the order of names, step by step; none has files of two folders right below `top`.

    Raises:
        OSError: The folder cannot be listed.
    """
    group: _Growing | None = None
    for name, found in _walk(top):
        folder = name.partition("/")[0]
        if group is not None and (group.folder != folder or group.weight >= max_weight):
            yield group.done()
            group = None
        group = group or _Growing(folder)
        group.add(name, found)
    if group is not None:
        yield group.done()


def read_group(
    top: Path, names: str, digest: str, *, name: str, max_file_bytes: int
) -> Iterator[RawItem | RawDefect]:
    """Read the files of a group in order.

    Args:
        top: The folder that was listed.
        names: Of the group.
        digest: Of the group.
        name: Stands before the names, as if an archive had been made of the tree.
        max_file_bytes: A larger file is a `record_too_large`.

    Raises:
        OSError: A file is not there.
        StageError: One changed since the tree was listed, or the disk failed.
    """
    state = hashlib.blake2b(digest_size=16)
    for number, below in enumerate(names.split("\0"), start=1):
        found, outcome = _read(top / below, max_file_bytes)
        state.update(_line(below, found))
        if isinstance(outcome, bytes):
            yield RawItem(number, f"{name}/{below}", outcome)
        else:
            yield RawDefect(number, *outcome)
    if state.hexdigest() != digest:
        raise StageError(_CHANGED)


class _Growing:
    """A group on its way."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.weight = 0
        self._bytes = 0
        self._names: list[str] = []
        self._state = hashlib.blake2b(digest_size=16)

    def add(self, name: str, found: os.stat_result | None) -> None:
        size = found.st_size if found else 0
        self._names.append(name)
        self._bytes += size
        self.weight += size + FILE_WEIGHT
        self._state.update(_line(name, found))

    def done(self) -> FileGroup:
        names = "\0".join(self._names)
        return FileGroup(self.folder, names, self._bytes, self.weight, self._state.hexdigest())


def _walk(top: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """All below a folder that is no folder itself, or is one that cannot be listed or entered.

    What has too long a path for the system comes without its state.
    """
    levels = [("", iter(_listed(top)))]
    while levels:
        prefix, entries = levels[-1]
        entry = next(entries, None)
        if entry is None:
            levels.pop()
            continue
        name = prefix + entry.name
        if _too_long(entry):
            yield name, None
        elif entry.is_dir(follow_symlinks=False):
            try:
                levels.append((f"{name}/", iter(_listed(entry.path))))
            except PermissionError:
                yield name, entry.stat(follow_symlinks=False)
        else:
            yield name, entry.stat(follow_symlinks=False)


def _listed(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    first = next((entry for entry in found if not _too_long(entry)), None)
    if first:
        first.stat(follow_symlinks=False)  # a folder that can be listed may let nobody in
    return found


def _too_long(path: str | os.PathLike[str]) -> bool:
    return len(os.fsencode(path)) >= _PATH_MAX


def _line(name: str, found: os.stat_result | None) -> bytes:
    below = os.fsencode(name.partition("/")[2])
    size, changed_ns = _state(found) if found else (-1, 0)
    return b"%b\0%d\0%d\n" % (below, size, changed_ns)


def _state(found: os.stat_result) -> tuple[int, int]:
    """What tells whether a file changed."""
    return found.st_size, found.st_mtime_ns


def _read(path: Path, limit: int) -> tuple[os.stat_result | None, bytes | tuple[str, str]]:
    """The state of a file, and its content or slug and detail of why there is none."""
    if _too_long(path):
        return None, ("unreadable_file", f"the path has {_PATH_MAX} bytes or more")
    found = path.lstat()
    return found, _refused(found, limit) or _content(path, found)


def _refused(found: os.stat_result, limit: int) -> tuple[str, str] | None:
    if stat.S_ISDIR(found.st_mode):
        return "unreadable_file", "the folder cannot be listed or entered"
    if not stat.S_ISREG(found.st_mode):
        return "unsafe_member", "links, pipes and devices are refused"
    if found.st_size > limit:
        return "record_too_large", f"the file is larger than {limit} bytes"
    return None


def _content(path: Path, found: os.stat_result) -> bytes | tuple[str, str]:
    """What a file holds; never more than it held when it was looked at, whatever it is now."""
    try:
        with open_source(path, strict=True) as raw:
            before = os.fstat(raw.fileno())
            data = raw.read(found.st_size + 1) if stat.S_ISREG(before.st_mode) else b""
            after = os.fstat(raw.fileno())
    except PermissionError as error:
        return "unreadable_file", error.strerror or type(error).__name__
    same = _state(found) == _state(before) == _state(after) and stat.S_ISREG(before.st_mode)
    if not same or len(data) != found.st_size:
        raise StageError(_CHANGED)
    return data
