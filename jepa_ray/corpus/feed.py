"""The feed: batches drawn at random, without replacement within an epoch, over a whole side.

Stateless: the windows of a step follow from (seed, step) alone, so a resumed training goes on at
its step and any number of workers sees the same global batches. Rank r of w takes every w-th row.
A side smaller than a batch wraps its epochs. What depends on the device is the last step only:
sparse rows travel, the dense batch is built where it is used.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.load import load
from jepa_ray.windows import FEATURE_COUNT, POSITION_VALUES, POSITIONS, SLOTS, SparseWindows


class Feed:
    """Batches of one side.

    Args:
        windows: The side; at least one window.
        batch_size: Windows of one step over all ranks.
        seed: Another seed, another order.
    """

    def __init__(self, windows: SparseWindows, *, batch_size: int, seed: int) -> None:
        assert len(windows), "a feed needs a window"
        self.windows = windows
        self.batch_size = batch_size
        self._seed = seed
        self._epoch = -1
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)

    def rows(self, step: int) -> NDArray[np.int64]:
        """Rows of the global batch of a step, int64 (batch_size,)."""
        at = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, places = np.divmod(at, len(self.windows))
        pieces = [
            self._permutation(int(epoch))[places[epochs == epoch]] for epoch in np.unique(epochs)
        ]
        return np.concatenate(pieces)

    def batch(
        self, step: int, *, rank: int = 0, world: int = 1, device: torch.device | str = "cpu"
    ) -> Tensor:
        """The dense batch of one rank: float32 [batch_size / world, 96, 16] on `device`."""
        return densify(self.windows.take(self.rows(step)[rank::world]), device)

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            generator = np.random.Generator(np.random.Philox(key=[self._seed, epoch]))
            self._order = generator.permutation(len(self.windows))
            self._epoch = epoch
        return self._order


def held_out_batches(
    windows: SparseWindows, *, batches: int, batch_size: int, seed: int
) -> Iterator[Tensor]:
    """Batches for a validation: drawn without replacement, at most once each window.

    Args:
        windows: The held-out side; at least one window.
        batches: At most so many; fewer where the side is smaller.
        batch_size: Windows of a batch; the last one may be smaller.
        seed: Which windows are drawn.

    Yields:
        float32 [<= batch_size, 96, 16] on the CPU.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, 0]))
    order = generator.permutation(len(windows))[: batches * batch_size]
    for start in range(0, len(order), batch_size):
        yield densify(windows.take(order[start : start + batch_size]), "cpu")


def densify(windows: SparseWindows, device: torch.device | str) -> Tensor:
    """Dense float32 [n, 96, 16] on `device`; equal to `SparseWindows.densify` to the bit."""
    if torch.device(device).type == "cpu":
        return torch.from_numpy(windows.densify())
    return scatter(windows, device)


def scatter(windows: SparseWindows, device: torch.device | str) -> Tensor:
    """The same by torch on `device`: only the sparse rows travel there."""
    n = len(windows)
    slots, runs = windows.scatter_indices()
    values = torch.from_numpy(windows.values).to(device, non_blocking=True)
    if runs is not None:
        values = values[torch.from_numpy(runs).to(device)]
    out = torch.zeros(n * SLOTS, FEATURE_COUNT, device=device)
    out[torch.from_numpy(slots).to(device), POSITIONS:] = values
    out = out.view(n, SLOTS, FEATURE_COUNT)
    out[:, :, :POSITIONS] = torch.from_numpy(POSITION_VALUES).to(device)[:, None]
    return out


T = TypeVar("T")


class FeedBatch(NamedTuple):
    """This rank's rows of a step: windows and their uids."""

    windows: SparseWindows
    uids: NDArray[np.uint64]


class TrainFeed(Protocol):
    """What both modes give."""

    batch_size: int
    windows: int

    def batch(self, step: int) -> FeedBatch:
        """This rank's rows of a step."""
        ...


class _MemoryFeed:
    def __init__(self, feed: Feed, uids: NDArray[np.uint64], rank: int, world: int) -> None:
        self.batch_size, self.windows = feed.batch_size, len(feed.windows)
        self._feed, self._uids, self._rows = feed, uids, slice(rank, None, world)

    def batch(self, step: int) -> FeedBatch:
        rows = self._feed.rows(step)[self._rows]
        return FeedBatch(self._feed.windows.take(rows), self._uids[rows])


def open_feed(  # noqa: PLR0913, D103
    processed_dir: str, names: Sequence[str], split: SplitConfig, *,
    mode: Literal["memory", "streaming"], batch_size: int, seed: int, rank: int = 0, world: int = 1,
) -> TrainFeed:  # fmt: skip
    assert mode
    corpus = load(processed_dir, names, split)
    feed = Feed(corpus.side("train"), batch_size=batch_size, seed=seed)
    uids = np.concatenate([d.uid[d.train] for d in corpus.datasets])
    return _MemoryFeed(feed, uids, rank, world)


def open_held_out(  # noqa: D103
    processed_dir: str, names: Sequence[str], split: SplitConfig, *,
    batches: int, batch_size: int, seed: int,
) -> list[Tensor]:  # fmt: skip
    side = load(processed_dir, names, split).side("val")
    return list(held_out_batches(side, batches=batches, batch_size=batch_size, seed=seed))


def choose_mode(  # noqa: D103
    processed_dir: str, names: Sequence[str], mode: str, memory_bytes: int
) -> tuple[Literal["memory", "streaming"], str]:
    assert processed_dir
    assert names
    return ("streaming" if mode == "streaming" else "memory"), f"of {memory_bytes} bytes"


def prefetch(
    make: Callable[[int], T], steps: range, *, depth: int = 2
) -> Iterator[tuple[T, float]]:
    """A background thread makes the next ones; with each, the seconds waited for it."""
    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(make, step) for step in steps[:depth]]
        for step in steps:
            began = time.perf_counter()
            made = ahead.pop(0).result()
            waited = time.perf_counter() - began
            if step + depth in steps:
                ahead.append(pool.submit(make, step + depth))
            yield made, waited
