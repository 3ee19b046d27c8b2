"""A disk or store that fails, told from a file that is damaged: it says nothing of the file."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from jepa_ray.errors import StageError
from jepa_ray.storage.remote import remote_faults


@contextmanager
def store_faults(doing: str, way_out: str = "run it again") -> Iterator[None]:
    """Turn what a disk or the client of a store raises into one message.

    Args:
        doing: What the block does, and where: "reading s3://a/b".
        way_out: What to do about it.

    Raises:
        StageError: It failed.
    """
    try:
        yield
    except remote_faults() as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StageError(f"{doing} failed: {reason}; {way_out}") from None


class Sure(io.RawIOBase):
    """A stream whose failures are never taken for the end or a defect of the file.

    Args:
        raw: Open for reading in binary.
        url: Where it is, for the message.
    """

    def __init__(self, raw: BinaryIO, url: str) -> None:
        self._raw = raw
        self._doing = f"reading {url}"

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; StageError when the disk or store fails."""
        with store_faults(self._doing):
            return self._raw.read(size)

    def readable(self) -> bool:
        """Yes."""
        return True
