"""Small-file operations on a path or a URL.

Every write is atomic: on a local disk by a temporary file beside the target, flushed and renamed;
on an object store by the single put that makes an object visible.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from jepa_ray.errors import UsageError
from jepa_ray.storage.clients import prepare_client
from jepa_ray.storage.credentials import refuse_credentials
from jepa_ray.storage.remote import reachable

UNFINISHED = ".tmp-"
"""How the names of files begin that are not written whole yet."""


def join(base: str | Path, *parts: str) -> str:
    """A path or URL below `base`."""
    root = str(base)
    bare = root.rstrip("/")
    if bare and not bare.endswith(":"):  # not a root, as "/", "memory://" and "file:///" are
        root = bare + "/"
    return root + "/".join(parts)


def local_path(url: str | Path) -> Path | None:
    """The local path of `url`; None when it is on another file system."""
    text = str(url)
    for scheme in ("file://", "local://"):
        if text.startswith(scheme):
            return Path(text.removeprefix(scheme))
    return None if "://" in text else Path(text)


def absolute(url: str) -> str:
    """A local path as every worker finds it, whose working directory is another; a URL as it is."""
    path = local_path(url)
    return url if path is None else str(path.absolute())


def resolve(url: str | Path) -> tuple[Any, str]:
    """File system and path of a URL; UsageError when nothing here knows its scheme.

    Listings are never cached: other processes write there too. A URL with credentials in it is a
    UsageError, too.
    """
    refuse_credentials(url)
    prepare_client(url)
    try:
        fs, path = url_to_fs(str(url), use_listings_cache=False)
    except (ValueError, ImportError) as error:
        raise UsageError(f"{url} cannot be opened: {error}") from None
    return fs, str(path)


@reachable("looking for")
def exists(url: str | Path) -> bool:
    """Whether there is a file or folder."""
    fs, path = resolve(url)
    return bool(fs.exists(path))


@reachable("reading")
def read_bytes(url: str | Path) -> bytes:
    """The whole content; FileNotFoundError when there is none."""
    fs, path = resolve(url)
    content: bytes = fs.cat_file(path)
    return content


def read_json(url: str | Path) -> Any:
    """A JSON document; FileNotFoundError or ValueError."""
    return json.loads(read_bytes(url))


@reachable("writing")
def write_bytes(url: str | Path, data: bytes) -> None:
    """Write a file whole or not at all; folders are made."""
    _put(url, data)


def _put(url: str | Path, data: bytes) -> None:
    path = local_path(url)
    if path is None:
        fs, remote = resolve(url)
        fs.pipe_file(remote, data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    try:
        with naming(path), os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let what a disk raises say which file it is about: a full one does not know."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def write_json(url: str | Path, document: Any) -> None:
    """Write a JSON document, readable, with a newline at its end; NaN is refused."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(url, (text + "\n").encode())


def remove_unfinished(url: str | Path) -> None:
    """Remove what writes that were killed left in a folder.

    The caller holds the folder: a write under way would lose its file. On an object store a killed
    write leaves nothing.
    """
    path = local_path(url)
    for left in path.glob(f"{UNFINISHED}*") if path else ():
        left.unlink(missing_ok=True)


@reachable("listing")
def list_names(url: str | Path) -> list[str]:
    """Names in a folder, sorted; [] when there is none."""
    fs, path = resolve(url)
    try:
        found = fs.ls(path, detail=False)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(str(name).rstrip("/").rsplit("/", 1)[-1] for name in found)


@reachable("listing")
def list_sizes(url: str | Path) -> dict[str, int]:
    """Files in a folder with their bytes; {} when there is none."""
    return {name: entry["size"] or 0 for name, entry in _listed(url)}


@reachable("listing")
def list_files(url: str | Path) -> list[str]:
    """Names of the files in a folder, without the folders in it, sorted; [] when there is none."""
    return sorted(name for name, entry in _listed(url) if entry["type"] == "file")


def _listed(url: str | Path) -> list[tuple[str, dict[str, Any]]]:
    fs, path = resolve(url)
    try:
        found = fs.ls(path, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [(str(entry["name"]).rstrip("/").rsplit("/", 1)[-1], entry) for entry in found]


def require_writable(url: str | Path) -> None:
    """Make sure that files can be written below `url`, by writing one.

    Raises:
        UsageError: They cannot; the message names the place.
    """
    try:
        _write_and_delete(url)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{url} is not a folder that can be written to: {reason}") from None


@reachable("writing to")
def _write_and_delete(url: str | Path) -> None:
    probe = join(url, f".probe-{os.getpid()}")
    _put(probe, b"")
    _remove(probe)


@contextmanager
def exclusive(url: str | Path, what: str) -> Iterator[None]:
    """Hold a folder for one process; the lock goes with the process, however it ends.

    On an object store there is no lock, and nothing is checked.

    Args:
        url: The folder; a local one is made.
        what: What the holder does, for the message.

    Raises:
        UsageError: Another process holds it.
    """
    path = local_path(url)
    if path is None:
        yield
        return
    path.mkdir(parents=True, exist_ok=True)
    with (path / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another process is at work: {what} {path}; wait for it") from None
        yield


@reachable("deleting")
def delete(url: str | Path) -> None:
    """Delete a file; nothing happens when there is none."""
    _remove(url)


def _remove(url: str | Path) -> None:
    fs, path = resolve(url)
    try:
        fs.rm_file(path)
    except FileNotFoundError:
        return
