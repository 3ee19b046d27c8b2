"""Raw sources on a disk or in an object store, as path objects and as streams."""

import os
from pathlib import Path
from typing import Any, BinaryIO, cast

from jepa_ray.errors import SourceError, UsageError
from jepa_ray.storage.clients import prepare_client
from jepa_ray.storage.credentials import refuse_credentials
from jepa_ray.storage.files import local_path
from jepa_ray.storage.remote import GuardedStream, reachable, store_faults

_READ_AHEAD = 8 << 20
_OF_THE_FILE = (FileNotFoundError, PermissionError, IsADirectoryError)
_WAY_OUT = (
    "run again to go on from the finished shards, or take the file away if it can never be read"
)


def source_path(url: str | Path) -> Path:
    """A folder or file of raw data.

    Args:
        url: A local path, `file://`, or a URL of any scheme that fsspec knows.

    Returns:
        pathlib's own for a local path; for a URL universal_pathlib's, which offers the same.

    Raises:
        UsageError: Nothing here knows the scheme, or there are credentials in the URL.
    """
    refuse_credentials(url)
    local = local_path(url)
    if local is not None:
        return local
    prepare_client(url)
    from upath import UPath  # noqa: PLC0415 - and with it fsspec: only where it is needed

    try:
        path = UPath(str(url), use_listings_cache=False)  # files may change beside us
        path.fs  # noqa: B018 - a scheme whose package is not installed shows here
    except (ValueError, ImportError) as error:
        raise UsageError(f"{url} cannot be opened: {error}") from None
    return cast("Path", path)


def source_folder(url: str | Path) -> Path:
    """The folder of some raw data.

    Raises:
        SourceError: There is none.
        UsageError: Nothing here knows the scheme, or its object store cannot be reached.
    """
    folder = source_path(url)
    if not _is_folder(folder):
        raise SourceError(f"data root {url} is not a folder; --data-root names the raw sources")
    return folder


@reachable("looking for")
def _is_folder(path: Path) -> bool:
    return path.is_dir()


def open_source(path: Path, *, strict: bool = False) -> BinaryIO:
    """Open a raw file for reading.

    Args:
        path: Of the file.
        strict: It is on a disk; follow no link there, and wait for no pipe.

    Raises:
        OSError: It cannot be opened; if it is in an object store, because it is not there or not
            allowed.
        StageError: The disk or the store failed, now or in a later `read`: this says nothing of the
            file, so it is no defect of it.
    """
    with store_faults(f"reading {path.name}", _WAY_OUT, passing=_OF_THE_FILE):
        if strict:
            raw: Any = open(path, "rb", opener=_strictly)  # noqa: SIM115 - closed by ours
        else:
            raw = path.open("rb") if isinstance(path, Path) else _open_remote(path)
    return cast("BinaryIO", GuardedStream(raw, path.name, _WAY_OUT))


def _strictly(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _open_remote(path: Any) -> BinaryIO:
    found: BinaryIO = path.open("rb", block_size=_READ_AHEAD, cache_type="readahead")
    return found
