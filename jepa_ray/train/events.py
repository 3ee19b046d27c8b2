"""TensorBoard events of a training, kept beside its metrics.

The writer needs a local file, a run may lie on an object store, and a resumed training has to show
its steps once: so the file grows in a temporary folder and is copied whole under one name.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter

FOLDER = "tensorboard"
FILE_NAME = "events.out.tfevents.0.jepa_ray"


class Events:
    """Scalars of metrics rows as an event file."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="jepa-ray-")
        self._writer = SummaryWriter(self._folder.name)
        self._rows = 0

    def add(self, rows: Iterable[dict[str, Any]]) -> bytes:
        """Take all rows so far; those that were there before are skipped. The file as it is then.

        Args:
            rows: Metrics rows in order.
        """
        fresh = list(rows)[self._rows :]
        self._rows += len(fresh)
        for row in fresh:
            for name, value in row.items():
                if name != "step" and isinstance(value, (int, float)):
                    self._writer.add_scalar(name, value, row["step"])
        self._writer.flush()
        (file,) = Path(self._folder.name).glob("events*")
        return file.read_bytes()

    def close(self) -> None:
        """Remove the temporary folder."""
        self._writer.close()
        self._folder.cleanup()
