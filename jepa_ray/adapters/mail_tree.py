"""Mail as an unpacked maildir tree: shards of small files, in the order of their paths.

On a disk the tree is listed once, on the driver, and read in groups. In an object store a mailbox
is listed by whoever reads it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from jepa_ray.adapters.base import Shard, SourceFile, shards_of
from jepa_ray.readers import RawDefect, RawItem, list_groups, read_group
from jepa_ray.storage import open_source
from jepa_ray.windows import NameHasher

TOP = "maildir"
GROUP_WEIGHT = 64 << 20


def tree_shards(top: Path, label: str, hasher: NameHasher) -> list[Shard]:
    """What there is to read.

    Args:
        top: The folder of mailboxes, on a disk or in an object store; it may be absent.
        label: Of it.
        hasher: Of names of mailboxes, that are names of people.

    Returns:
        Groups of mails, none of two mailboxes; small ones share a shard.
    """
    local = isinstance(top, Path)
    if not local:
        mailboxes = sorted(top.glob("*"))
        found = [SourceFile(p, f"{label}/{hasher.hex(p.name)}", _size(p)) for p in mailboxes]
        return shards_of(found, 0)
    if not top.is_dir():
        return []
    files, weights, parts = [], {}, Counter[str]()
    for group in list_groups(top, max_weight=GROUP_WEIGHT):
        parts[group.folder] += 1
        part = parts[group.folder]
        name = f"{label}/{hasher.hex(group.folder)}{f'.{part}' if part > 1 else ''}"
        files.append(SourceFile(top, name, group.bytes, names=group.names, mark=group.digest))
        weights[name] = group.weight
    return shards_of(files, GROUP_WEIGHT, weight=lambda file: weights[file.label])


def tree_mails(file: SourceFile, limit: int) -> Iterator[RawItem | RawDefect]:
    """The mails of a group, or of a mailbox in an object store.

    Args:
        file: As `tree_shards` gave it.
        limit: A larger mail becomes a `record_too_large` defect.
    """
    if file.names is not None and file.mark is not None:
        yield from read_group(file.path, file.names, file.mark, name=TOP, max_file_bytes=limit)
        return
    for number, path in enumerate(_entries(file.path), start=1):
        try:
            if path.stat().st_size > limit:
                detail = f"the file is larger than {limit} bytes"
                yield RawDefect(number, "record_too_large", detail)
                continue
            with open_source(path) as raw:
                name = f"{TOP}/{path.relative_to(file.path.parent).as_posix()}"
                yield RawItem(number, name, raw.read())
        except PermissionError as error:
            yield RawDefect(number, "unreadable_file", error.strerror or type(error).__name__)


def _entries(top: Path) -> list[Path]:
    """The objects below a mailbox, or one that stands beside the mailboxes."""
    return sorted(p for p in top.rglob("*") if not p.is_dir()) if top.is_dir() else [top]


def _size(top: Path) -> int:
    return sum(path.stat().st_size for path in _entries(top))
