"""Small disks, and full ones."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """A file system of its own."""

    folder: Path

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes."""
        with suppress(OSError), (self.folder / "ballast").open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        if but:
            with (self.folder / "ballast").open("r+b") as file:
                file.truncate(file.seek(0, os.SEEK_END) - but)

    def clear(self) -> None:
        """Undo it."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path, *, megabytes: int) -> Iterator[Disk]:
    """A disk of some size in the place of a folder; what starts meanwhile sees it."""
    size = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        unmount(folder)


def unmount(folder: Path) -> None:
    """Undo it, if it is mounted."""
    subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)
