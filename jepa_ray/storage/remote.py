"""Failures of object stores: what their clients raise, said as one message that names the place."""

import functools
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ParamSpec, TypeVar

from jepa_ray.storage.faults import explain, failure, has_answer, is_missing_bucket

_P = ParamSpec("_P")
_T = TypeVar("_T")
_FAULTS = (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError"))
_OF_THE_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)


def client_faults() -> tuple[type[BaseException], ...]:
    """Exceptions of the clients that are loaded; none of them is an OSError."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _FAULTS]
    return (TimeoutError, *(fault for fault in found if fault))


def remote_faults() -> tuple[type[BaseException], ...]:
    """Whatever reading from an object store may raise."""
    return (OSError, *client_faults())


def reachable(doing: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Let a function whose first argument is a path or URL say which place failed, and why.

    What says something of a file, as that it is not there, is raised on as it is; so is all of a
    local path.

    Args:
        doing: What the function does, for the message: "reading".

    Raises:
        UsageError: The store refuses: no such bucket, credentials, permission, region.
        StageError: It gave no answer, or none but that it cannot, try after try.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                where: Any = args[0]
                if not _is_of_the_store(error, str(where)):
                    raise
                raise failure(f"{doing} {where}", error) from None

        return call

    return decorate


def is_fault(error: BaseException) -> bool:
    """Whether the client of a store raised it, and not of a file that is absent or damaged."""
    if isinstance(error, client_faults()) or is_missing_bucket(error):
        return True
    return isinstance(error, OSError) and has_answer(error) and not isinstance(error, _OF_THE_FILE)


def _is_of_the_store(error: BaseException, where: str) -> bool:
    if is_fault(error):
        return True
    remote = "://" in where and not where.startswith(("file://", "local://"))
    if isinstance(error, ValueError):  # of a client that cannot be made with these settings
        return remote and explain(error).mistake
    return remote and isinstance(error, OSError) and not isinstance(error, _OF_THE_FILE)


@contextmanager
def client_failures(doing: str) -> Iterator[None]:
    """Turn what the client of a store raises into one message; all else is raised on as it is.

    Args:
        doing: What the block does, and where: "reading s3://a/b".

    Raises:
        UsageError, StageError: As `store_faults`.
    """
    try:
        yield
    except remote_faults() as error:
        if is_fault(error):
            raise failure(doing, error) from None
        raise


@contextmanager
def store_faults(
    doing: str,
    way_out: str = "run it again",
    *,
    passing: tuple[type[OSError], ...] = (),
) -> Iterator[None]:
    """Turn what a disk or the client of a store raises into one message.

    Args:
        doing: What the block does, and where: "reading s3://a/b".
        way_out: What to do about it.
        passing: What is raised on as it is.

    Raises:
        UsageError: An object store refuses: no such bucket, credentials, permission, region.
        StageError: It failed: this says nothing of the file, so it is no defect of it.
    """
    try:
        yield
    except passing:
        raise
    except remote_faults() as error:
        raise failure(doing, error, way_out) from None


class GuardedStream(io.RawIOBase):
    """A stream whose failures are never taken for the end or a defect of the file.

    Args:
        raw: Open for reading in binary; closed with this.
        name: Of the file, for the message.
        way_out: What to do about a failure.
    """

    def __init__(self, raw: BinaryIO, name: str, way_out: str = "run it again") -> None:
        self._raw = raw
        self._said = f"reading {name}", way_out

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; StageError when the disk or the store fails."""
        with store_faults(*self._said):
            return self._raw.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, for what reads on."""
        return self._raw.seek(offset, whence)

    def fileno(self) -> int:
        """The handle of a file on a disk."""
        return self._raw.fileno()

    def readable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """Close the stream below too."""
        self._raw.close()
        super().close()
