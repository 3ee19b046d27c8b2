"""What a job's working directory would send to the cluster."""

import logging
from pathlib import Path

from jepa_ray.errors import UsageError

LARGEST = 100 << 20  # bytes; what Ray's job server takes
_SHOWN = 5
_quiet = logging.getLogger(__name__)


def sizes(folder: Path) -> dict[str, int]:
    """Files that Ray would send, with their bytes.

    `.rayignore`, `.gitignore` and Ray's own list (`.git`, `.venv`, ...) leave files out. Ray's own
    walk decides, so that nothing is counted that is not sent, nor the other way round.
    """
    # Not public, but pyproject.toml holds Ray to one minor version, and tests look at the outcome.
    from ray._private.ray_constants import get_runtime_env_default_excludes  # noqa: PLC0415
    from ray._private.runtime_env.packaging import _dir_travel, _get_excludes  # noqa: PLC0415

    found = {}

    def see(path: Path) -> None:
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.stat().st_size

    excludes = [_get_excludes(folder, get_runtime_env_default_excludes())]
    _dir_travel(folder, excludes, see, include_gitignore=True, logger=_quiet)
    return found


def require_small(folder: Path, *, largest: int = LARGEST) -> int:
    """Bytes that a working directory would send.

    Raises:
        UsageError: It is no folder, or more than Ray takes; the message names the largest files.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise UsageError(f"--working-dir {folder} is not a folder")
    found = sizes(folder)
    total = sum(found.values())
    if total < largest:
        return total
    top = sorted(found, key=lambda name: found[name], reverse=True)[:_SHOWN]
    listed = ", ".join(f"{name} ({found[name] / 1e6:.1f} MB)" for name in top)
    raise UsageError(
        f"--working-dir {folder} would send {total / 1e6:.0f} MB, Ray takes {largest / 1e6:.0f}; "
        f"list what the job does not need in {folder / '.rayignore'} (it has the form of "
        f".gitignore). The largest: {listed}"
    )
