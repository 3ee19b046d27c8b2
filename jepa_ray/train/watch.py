"""What workers tell the driver while a fit runs: progress, and why it must end.

A small actor on the driver's own node, and on no other, holds both, so it outlives the loss of a
worker or its node.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any, Self

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jepa_ray.box import Box
from jepa_ray.errors import JepaRayError

Row = dict[str, Any]
_POLL_SECONDS = 0.5
_ASK_SECONDS = 30


class Watch:
    """Context manager: while it is open, `progress` is called with every row in order.

    Args:
        progress: Called.
        of: What is watched, such as a fit; in the name of its actor, which the dashboard shows.
    """

    def __init__(self, progress: Callable[[Row], None], of: str) -> None:
        self.name = f"jepa-ray-watch-{of}-{uuid.uuid4().hex}"
        self._progress = progress
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        options = {"name": self.name, "num_cpus": 0, "scheduling_strategy": here}
        self._box = ray.remote(Box).options(**options).remote()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._drain()
        ray.kill(self._box)

    @property
    def failure(self) -> JepaRayError | None:
        """Our own error that ended the training, if one did."""
        try:
            found: JepaRayError | None = ray.get(self._box.failure.remote(), timeout=_ASK_SECONDS)
        except ray.exceptions.RayError:
            return None
        return found

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


class Teller:
    """A worker's end of a watch."""

    def __init__(self, name: str) -> None:
        self._box = ray.get_actor(name)

    def __call__(self, row: Row) -> None:
        """Push a row; never waits, never fails."""
        self._box.put.remote(row)

    def surely(self, row: Row) -> None:
        """Push a row and wait until it is there: for the last one of a process."""
        ray.get(self._box.put.remote(row), timeout=_ASK_SECONDS)

    def fail(self, error: JepaRayError) -> None:
        """Say that training must end, with the error for the user."""
        ray.get(self._box.fail.remote(error), timeout=_ASK_SECONDS)

    def failed(self) -> bool:
        """Whether some worker said so: then Ray must not begin again."""
        return ray.get(self._box.failure.remote(), timeout=_ASK_SECONDS) is not None
