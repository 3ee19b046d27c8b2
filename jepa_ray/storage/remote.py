"""Failures of object stores: what their clients raise, said as one message that names the place."""

import functools
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ParamSpec, TypeVar

from jepa_ray.errors import StageError, UsageError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_FAULTS = (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError"))


def client_faults() -> tuple[type[BaseException], ...]:
    """Exceptions of the clients that are loaded; none of them is an OSError."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _FAULTS]
    return (TimeoutError, *(fault for fault in found if fault))


def remote_faults() -> tuple[type[BaseException], ...]:
    """Whatever reading from an object store may raise."""
    return (OSError, *client_faults())


def reachable(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function whose first argument is a path or URL say which place did not answer.

    Raises:
        UsageError: The client of an object store gave up: no credentials, no such host, no answer.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not isinstance(error, client_faults()):
                raise
            where: Any = args[0]
            raise UsageError(
                f"{where} cannot be reached: {type(error).__name__}: {error}; the standard "
                "environment names credentials and address (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL)"
            ) from None

    return call


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
        StageError: It failed: this says nothing of the file, so it is no defect of it.
    """
    try:
        yield
    except passing:
        raise
    except remote_faults() as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StageError(f"{doing} failed: {reason}; {way_out}") from None


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
