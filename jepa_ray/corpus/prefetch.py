"""The next batches are made in the background while the present one is used."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(
    make: Callable[[int], T], steps: range, *, depth: int = 2
) -> Iterator[tuple[T, float]]:
    """What `make` gives for each step, in order; one background thread makes the next ones.

    Abandoning the iterator ends the thread; what was made in advance is dropped. A generator starts
    with its first `next`.

    Args:
        make: Called for one step at a time, in order, in the thread.
        steps: Which.
        depth: Results made in advance at most.

    Yields:
        A result, and the seconds that its consumer waited for it.

    Raises:
        Exception: What `make` raised, at its step.
    """
    coming: deque[Future[T]] = deque()
    with ThreadPoolExecutor(1, "prefetch") as thread:
        try:
            coming.extend(thread.submit(make, step) for step in steps[:depth])
            for i in range(len(steps)):
                began = time.perf_counter()
                found = coming.popleft().result()
                waited = time.perf_counter() - began
                coming.extend(thread.submit(make, s) for s in steps[i + depth : i + depth + 1])
                yield found, waited
        finally:
            for future in coming:
                future.cancel()
