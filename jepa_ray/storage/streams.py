"""A large file written piece by piece, that becomes visible whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jepa_ray.storage.files import UNFINISHED, local_path, naming, resolve
from jepa_ray.storage.remote import reachable


@contextmanager
def atomic_writer(url: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing in binary; it appears under its name when the block ends well.

    A local file is written beside its place, flushed and renamed; one for an object store lies in
    the temporary folder of this machine until it is put there.

    Args:
        url: Path or URL; folders are made.
    """
    path = local_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent if path else None, prefix=UNFINISHED)
    try:
        with naming(path or Path(temporary)), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path is not None:
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        else:
            _put_file(url, temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)


@reachable("writing")
def upload(url: str | Path, path: Path) -> None:
    """Put a local file into an object store, whole or not at all; in parts if it is large."""
    _put_file(url, path)


def _put_file(url: str | Path, path: str | Path) -> None:
    fs, remote = resolve(url)
    fs.put_file(str(path), remote)
