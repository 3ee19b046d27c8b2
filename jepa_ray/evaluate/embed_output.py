"""The folder of embeddings: staged where no reader looks, made visible when all of it is there.

On a disk the staging folder stands beside the output, hidden, and is renamed. An object store
cannot rename: there the files lie under `_staged/`, which readers of Parquet pass over, and are
copied by the store at the end. `_embeddings.json` is written last.
"""

import ctypes
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jepa_ray.errors import StageError, UsageError
from jepa_ray.storage import (
    delete,
    exclusive,
    join,
    list_names,
    list_sizes,
    local_path,
    read_json,
    remove_unfinished,
    require_writable,
    resolve,
    store_faults,
    write_json,
)

MANIFEST = "_embeddings.json"
_STAGED = "_staged"
_LOCK = ".lock"  # of `exclusive`
_PART = re.compile(r"part-\d{6,}-[0-9a-f]{16}\.parquet")
Document = dict[str, Any]


def part_name(place: int, key: str) -> str:
    """Of the file of a piece; files sort by the place of their piece."""
    return f"part-{place:06d}-{key}.parquet"


def settled(output: str, key: str) -> Document | None:
    """The document of an output that is whole and of this key; else None."""
    try:
        document = read_json(join(output, MANIFEST))
        if document["key"] != key:
            return None
        listed = {part["name"]: part["bytes"] for part in document["parts"]}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    there = {name: size for name, size in list_sizes(output).items() if _PART.fullmatch(name)}
    found: Document | None = document if there == listed else None
    return found


def refuse_taken(output: str, *, overwrite: bool) -> None:
    """See that the place is free, or may be overwritten.

    Raises:
        UsageError: Something else is there, or embeddings and `overwrite` is off.
    """
    names = list_names(output)
    own = output.rstrip("/").rpartition("/")[2]
    foreign = [n for n in names if not (_PART.fullmatch(n) or n in (MANIFEST, _STAGED))]
    if foreign == [own]:
        raise UsageError(f"{output} is a file that embed did not write; choose another --output")
    if foreign:
        raise UsageError(
            f"{output} holds {foreign[0]}, which embed did not write; choose another --output"
        )
    if MANIFEST in names and not overwrite:
        raise UsageError(
            f"{output} holds embeddings of another checkpoint, input or setting; --overwrite "
            "replaces them"
        )


class Staging:
    """Where the files of a run lie until all are there.

    Args:
        output: Absolute path, or URL.
    """

    def __init__(self, output: str) -> None:
        self.output = output.rstrip("/")
        self._final = local_path(self.output)
        if self._final is None:
            self.folder = join(self.output, _STAGED)
        else:
            self.folder = str(self._beside("unfinished"))

    def _beside(self, what: str) -> Path:
        assert self._final is not None
        return self._final.parent / f".{self._final.name}.{what}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the place for this process.

        Raises:
            UsageError: It cannot be written to, or another process is at work there.
        """
        require_writable(self.folder)
        with exclusive(self.folder, "embed into"):
            remove_unfinished(self.folder)
            if self._final is not None:
                self._restore(self._final)
            try:
                yield
            finally:
                self._tidy()

    def _restore(self, final: Path) -> None:
        """End the replacement of a run that was killed: a table is at its place, and one only."""
        before = self._beside("replaced")
        if before.is_dir() and not final.exists():
            before.rename(final)
        shutil.rmtree(before, ignore_errors=True)

    def _tidy(self) -> None:
        """Leave no hidden folder where nothing was finished."""
        if self._final is not None and list_names(self.folder) == [_LOCK]:
            shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, names: Iterable[str]) -> set[str]:
        """Those of the wanted files that an earlier run finished; all others are removed."""
        wanted = set(names)
        there = {name for name in list_names(self.folder) if _PART.fullmatch(name)}
        for name in there - wanted:
            delete(join(self.folder, name))
        return there & wanted

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """Bytes of the wanted files.

        Raises:
            StageError: One is not there.
        """
        there = list_sizes(self.folder)
        lost = [name for name in names if name not in there]
        if lost:
            raise StageError(
                f"{lost[0]} was written, but is not in {self.folder} as this node sees it: "
                "--output must be object storage or a disk that all nodes see; run it again"
            )
        return {name: there[name] for name in names}

    def publish(self, document: Document) -> None:
        """Make the files visible, and what was there before not.

        Raises:
            StageError: The object store failed; the same command again goes on.
        """
        if self._final is not None:
            write_json(join(self.folder, MANIFEST), document)
            self._rename(self._final)
            return
        names = [part["name"] for part in document["parts"]]
        delete(join(self.output, MANIFEST))
        for name in list_names(self.output):
            if _PART.fullmatch(name):
                delete(join(self.output, name))
        with store_faults(f"copying within {self.output}", "the same command again goes on"):
            fs, staged = resolve(self.folder)
            fs.copy(
                [f"{staged}/{name}" for name in names],
                [f"{resolve(self.output)[1]}/{name}" for name in names],
            )
        write_json(join(self.output, MANIFEST), document)
        self.forget()

    def _rename(self, final: Path) -> None:
        staged, before = Path(self.folder), self._beside("replaced")
        if not final.is_dir():
            staged.rename(final)
        elif _exchanged(staged, final):
            staged.rename(before)
        else:
            final.rename(before)
            staged.rename(final)
        (final / _LOCK).unlink(missing_ok=True)
        shutil.rmtree(before, ignore_errors=True)

    def forget(self) -> None:
        """Remove what is staged on an object store."""
        if self._final is None:
            for name in list_names(self.folder):
                delete(join(self.folder, name))


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system or the disk cannot.

    The call is renameat2 of Linux (2), with RENAME_EXCHANGE.
    """
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    if call is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)
