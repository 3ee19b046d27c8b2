"""A folder that a command began and could not use is taken away again."""

import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from jepa_ray.storage.files import delete, join, list_names, local_path


@contextmanager
def unused_taken_away(url: str | Path, files: Collection[str], *, fresh: bool) -> Iterator[None]:
    """Take a folder away where the block fails and there is nothing else in it.

    The caller holds the folder.

    Args:
        url: The folder, path or URL.
        files: Names of files that mean nothing by themselves, such as settings.
        fresh: Whether this command made the folder; otherwise it stays as it is.
    """
    try:
        yield
    except BaseException:
        if fresh:
            with contextlib.suppress(OSError):
                _take_away(url, files)
        raise


def _take_away(url: str | Path, files: Collection[str]) -> None:
    found = list_names(url)
    if set(found) - set(files):
        return
    for name in found:
        delete(join(url, name))
    path = local_path(url)
    if path is not None:
        path.rmdir()
