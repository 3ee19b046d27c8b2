"""Pieces made by Ray tasks and handed out in order; few are under way at a time."""

from collections import deque
from collections.abc import Iterable, Iterator

import ray
from ray.exceptions import RayError

from jepa_ray.errors import StageError
from jepa_ray.synth.bulk import Packed, Piece, make

_UNDER_WAY = 3  # a core; each is some megabytes


def on_ray(pieces: Iterable[Piece]) -> Iterator[Packed]:
    """Make pieces in parallel. Needs a Ray session.

    Raises:
        StageError: A task failed, and its retries too.
    """
    task = ray.remote(num_cpus=1)(make)
    most = _UNDER_WAY * max(1, int(ray.cluster_resources().get("CPU", 1)))
    under_way: deque[ray.ObjectRef] = deque()
    try:
        for piece in pieces:
            under_way.append(task.remote(piece))
            if len(under_way) >= most:
                yield ray.get(under_way.popleft())
        while under_way:
            yield ray.get(under_way.popleft())
    except RayError as error:
        raise StageError(f"a task that makes up records failed: {type(error).__name__}") from None
