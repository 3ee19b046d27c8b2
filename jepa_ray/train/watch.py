"""Progress of a running fit: rank 0 pushes rows into a small actor, the driver polls it."""

import threading
import uuid
from collections.abc import Callable
from typing import Any, Self

import ray

Row = dict[str, Any]
_POLL_SECONDS = 0.5


class _Box:
    def __init__(self) -> None:
        self._rows: list[Row] = []

    def put(self, row: Row) -> None:
        self._rows.append(row)

    def take(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows


class Watch:
    """Context manager: while it is open, `progress` is called with every row in order."""

    def __init__(self, progress: Callable[[Row], None]) -> None:
        self.name = f"jepa-ray-watch-{uuid.uuid4().hex}"
        self._progress = progress
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        self._box = ray.remote(_Box).options(name=self.name, num_cpus=0).remote()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._drain()
        ray.kill(self._box)

    def _poll(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            self._drain()

    def _drain(self) -> None:
        try:
            rows = ray.get(self._box.take.remote(), timeout=10)
        except ray.exceptions.RayError:
            return  # progress is a courtesy: its loss must not end a training
        for row in rows:
            self._progress(row)

    @staticmethod
    def teller(name: str) -> Callable[[Row], None]:
        """What a worker calls to push a row; never waits, never fails."""
        box = ray.get_actor(name)

        def tell(row: Row) -> None:
            box.put.remote(row)

        return tell
