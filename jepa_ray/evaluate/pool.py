"""Processes that share a long command's work, and end when it does, however that comes about."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from jepa_ray.errors import StageError


@contextmanager
def processes(count: int, *, does: str, way_out: str) -> Iterator[ProcessPoolExecutor]:
    """A pool of `count` processes for the block; what is in it must be picklable.

    Args:
        count: At least one.
        does: What one of them does, for the message: "a process that ... was killed".
        way_out: What to do then.

    Raises:
        StageError: One of them was killed.
    """
    context = multiprocessing.get_context("spawn")  # a fork copies threads that hold locks
    try:
        with ProcessPoolExecutor(count, mp_context=context, initializer=end_with_parent) as pool:
            yield pool
    except BrokenProcessPool:
        raise StageError(
            f"a process that {does} was killed, as when memory runs out; {way_out}"
        ) from None


def end_with_parent() -> None:
    """Let this process end when the one that started it is killed: nobody waits for its work."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
