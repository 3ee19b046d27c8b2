"""TensorBoard events of a training, kept beside its metrics.

A run may lie on an object store, and a resumed training has to show its steps once. So the file is
kept in memory, a few hundred bytes a row, and written whole under one name. The format is TFRecord:
length, its checksum, an `Event` message, its checksum.
"""

import struct
import time
from collections.abc import Sequence
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

FOLDER = "tensorboard"
FILE_NAME = "events.out.tfevents.0.jepa_ray"


class Events:
    """Scalars of metrics rows as an event file.

    Their times lie `seconds` after a beginning, so rows of before a resume keep their distances;
    the time between the runs is left out, as it is in `seconds`.
    """

    def __init__(self) -> None:
        self._file = bytearray()
        self._rows = 0
        self._began = 0.0

    def add(self, rows: Sequence[dict[str, Any]]) -> bytes:
        """Take all rows so far, at least one; the first may be known. Return the whole file."""
        if not self._file:
            self._began = time.time() - rows[-1]["seconds"]
            self._file += _record(Event(wall_time=self._began, file_version="brain.Event:2"))
        for row in rows[self._rows :]:
            values = [
                Summary.Value(tag=name, simple_value=value)
                for name, value in row.items()
                if name != "step" and isinstance(value, (int, float))
            ]
            summary = Summary(value=values)
            at = self._began + row["seconds"]
            self._file += _record(Event(wall_time=at, step=row["step"], summary=summary))
        self._rows = len(rows)
        return bytes(self._file)


def _record(event: Any) -> bytes:
    data = event.SerializeToString()
    length = struct.pack("<Q", len(data))
    checksums = (struct.pack("<I", masked_crc32c(part)) for part in (length, data))
    return b"".join((length, next(checksums), data, next(checksums)))
