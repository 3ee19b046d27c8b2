"""Whether two paths or URLs are one folder, however they are written."""

from pathlib import Path

from jepa_ray.storage import local_path, resolve


def same_place(one: str, other: str) -> bool:
    """Whether two paths or URLs name the same folder: `./a`, `b/../a` and a link to `a` do.

    Raises:
        UsageError: Nothing here knows the scheme.
    """
    return _place(one) == _place(other)


def _place(url: str) -> tuple[object, str]:
    path = local_path(url)
    if path is not None:
        return Path, str(path.resolve())
    fs, remote = resolve(url)
    return fs, str(remote).rstrip("/")
