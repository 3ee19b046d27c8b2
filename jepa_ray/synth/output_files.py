"""Files that appear whole or not at all, with the same bytes every time."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when the block ends without an error.

    Args:
        path: Where the file shall be; missing folders are created, an older file is replaced.

    Yields:
        A binary stream to a temporary file in the same folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_gzip_file(path: Path) -> Iterator[gzip.GzipFile]:
    """Like `whole_file`, compressed; the gzip header holds neither a name nor a time.

    Args:
        path: Where the file shall be.

    Yields:
        A stream that takes the uncompressed bytes.
    """
    with (
        whole_file(path) as stream,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=stream, mtime=0) as packed,
    ):
        yield packed
