"""What a step is computed on: windows and masks, both functions of (seed, step) alone.

So a batch can be made ahead in a background thread, made again to find out what was wrong with it,
and a resumed training needs no position of a sampler.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.config import TrainConfig
from jepa_ray.corpus import densify, open_feed, open_held_out
from jepa_ray.errors import CorpusError
from jepa_ray.model import Masks, draw_masks

ORDER, MASKS, HELD_OUT, HELD_OUT_MASKS, OBJECTIVE = range(5)
"""Consumers of the seed; each derives its own."""

Mode = Literal["memory", "streaming"]


@dataclass(frozen=True)
class Worker:
    """Which part of the global batch this process computes, and where."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


class Batch(NamedTuple):
    """This rank's rows of a step, on its device.

    Attributes:
        x: float32 [B, 96, 16].
        visible: int64 [B, V].
        hidden: int64 [B, H].
        uids: uint64 (B,), of the windows.
    """

    x: Tensor
    visible: Tensor
    hidden: Tensor
    uids: NDArray[np.uint64]


@dataclass(frozen=True)
class Data:
    """What a training reads.

    Attributes:
        make: The batch of a step.
        held_out: Windows and masks of every validation; empty on all ranks but 0.
        windows: Training windows in all.
    """

    make: Callable[[int], Batch]
    held_out: Sequence[tuple[Tensor, Masks]]
    windows: int


def derived_seed(seed: int, consumer: int) -> int:
    """The seed of one consumer: independent streams from one number."""
    return int(np.random.SeedSequence([seed, consumer]).generate_state(1, np.uint64)[0] >> 1)


def open_data(
    processed_dir: str, names: Sequence[str], config: TrainConfig, worker: Worker, mode: Mode
) -> Data:
    """Open the windows of a training.

    Raises:
        CorpusError: They are absent or damaged, or no window is held out.
    """
    held_out = held_out_windows(processed_dir, names, config) if not worker.rank else []
    feed = open_feed(
        processed_dir,
        names,
        config.split,
        mode=mode,
        batch_size=config.batch_size,
        seed=derived_seed(config.seed, ORDER),
        rank=worker.rank,
        world=worker.world,
    )
    if not worker.rank and not held_out:
        raise CorpusError(
            f"{feed.windows} training and 0 held-out windows: both sides need one; "
            "prepare more data"
        )
    seed = derived_seed(config.seed, MASKS)

    def make(step: int) -> Batch:
        windows, uids = feed.batch(step)
        masks = draw_masks(config.mask, seed=seed, step=step, batch=config.batch_size)
        visible, hidden = masks.rows(slice(worker.rank, None, worker.world)).tensors(worker.device)
        return Batch(densify(windows, worker.device), visible, hidden, uids)

    return Data(make, held_out, feed.windows)


def held_out_windows(
    processed_dir: str, names: Sequence[str], config: TrainConfig
) -> list[tuple[Tensor, Masks]]:
    """The windows and masks of every validation of a training: always the same."""
    windows = open_held_out(
        processed_dir,
        names,
        config.split,
        batches=config.val_batches,
        batch_size=config.batch_size,
        seed=derived_seed(config.seed, HELD_OUT),
    )
    seed = derived_seed(config.seed, HELD_OUT_MASKS)
    return [
        (x, draw_masks(config.mask, seed=seed, step=i, batch=len(x))) for i, x in enumerate(windows)
    ]
