"""The feed: batches drawn at random, without replacement within an epoch, over a whole side.

Stateless: the windows of a step follow from (seed, step) alone, so a resumed training goes on at
its step and any number of workers sees the same global batches. Rank r of w takes every w-th row.
A side smaller than a batch wraps its epochs. What depends on the device is the last step only:
sparse rows travel, the dense batch is built where it is used.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
