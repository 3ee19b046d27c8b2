"""A feed that draws from one dataset after the other: each leg of a training has its own.

At most two feeds are open, that of the leg under way and the next one, which a thread opens
meanwhile. Leg for leg the windows of a step follow from (seed, step) alone, as in any feed.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from jepa_ray.corpus.batch import FeedBatch, TrainFeed

Open = Callable[[], TrainFeed]


class LegFeed:
    """Batches of one feed up to its last step, then of the next; a leg's feed begins at step 0.

    Args:
        feeds: Open the feed of each leg, in order.
        ends: The step behind the last of each leg, ascending; a training ends with the last.
        windows: Training windows of all legs.
        batch_size: Windows of one step over all ranks.
    """

    def __init__(
        self, feeds: Sequence[Open], ends: Sequence[int], *, windows: int, batch_size: int
    ) -> None:
        self.batch_size = batch_size
        self.windows = windows
        self._feeds = feeds
        self._ends = np.asarray(ends)
        self._one_at_a_time = threading.Lock()
        self._open: dict[int, Future[TrainFeed]] = {}

    def batch(self, step: int) -> FeedBatch:
        """This rank's windows of a step."""
        leg = int(np.searchsorted(self._ends, step, side="right"))
        begins = int(self._ends[leg - 1]) if leg else 0
        return self._feed(leg).batch(step - begins)

    def _feed(self, leg: int) -> TrainFeed:
        """The feed of a leg; the next one begins to open, those of all others are let go."""
        with self._one_at_a_time:
            for other in self._open.keys() - {leg, leg + 1}:
                del self._open[other]
            feed = self._opening(leg)
        found = feed.result()
        with self._one_at_a_time:
            if leg in self._open and leg + 1 < len(self._feeds):
                self._opening(leg + 1)
        return found

    def _opening(self, leg: int) -> Future[TrainFeed]:
        if leg not in self._open:
            thread = ThreadPoolExecutor(1, "leg")
            self._open[leg] = thread.submit(_opened, self._feeds[leg])
            thread.shutdown(wait=False)  # it ends by itself
        return self._open[leg]


def _opened(feed: Open) -> TrainFeed:
    """A feed that has done what its first step has to wait for."""
    found = feed()
    found.batch(0)
    return found
