"""What a step is computed on: windows and masks, both functions of (seed, step) alone.

So a batch can be made ahead in a background thread, made again to find out what was wrong with it,
and a resumed training needs no position of a sampler.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.config import TrainConfig
from jepa_ray.config.legs import Leg, cut_legs
from jepa_ray.corpus import TrainFeed, densify, open_feed, open_held_out, open_legs
from jepa_ray.errors import CorpusError
from jepa_ray.model import Masks, draw_masks

ORDER, MASKS, HELD_OUT, HELD_OUT_MASKS, OBJECTIVE, LEGS, LEG_MASKS = range(7)
"""Consumers of the seed; each derives its own."""

Mode = Literal["memory", "streaming"]
Batches = Sequence[tuple[Tensor, Masks]]


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
        legs: Where mixing is sequential; else none.
        leg_held_out: With legs: windows and masks of each dataset, scored after each leg; empty on
            all ranks but 0.
    """

    make: Callable[[int], Batch]
    held_out: Batches
    windows: int
    legs: tuple[Leg, ...] = ()
    leg_held_out: Mapping[str, Batches] = field(default_factory=dict)


def derived_seed(seed: int, consumer: int) -> int:
    """The seed of one consumer: independent streams from one number."""
    return int(np.random.SeedSequence([seed, consumer]).generate_state(1, np.uint64)[0] >> 1)


def open_data(
    processed_dir: str, names: Sequence[str], config: TrainConfig, worker: Worker, mode: Mode
) -> Data:
    """Open the windows of a training.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets, as `in_order` gives them.
        config: Of the training.
        worker: This process.
        mode: How the windows are read.

    Raises:
        ConfigError: Mixing is sequential, and there are fewer steps than datasets.
        CorpusError: They are absent or damaged, or no window is held out.
    """
    legs = cut_legs(names, config)
    held_out = held_out_windows(processed_dir, names, config) if not worker.rank else []
    feed = _feed(processed_dir, names, config, worker, mode, legs)
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

    scored = leg_windows(processed_dir, names, config) if legs and not worker.rank else {}
    return Data(make, held_out, feed.windows, legs, scored)


def _feed(
    processed_dir: str,
    names: Sequence[str],
    config: TrainConfig,
    worker: Worker,
    mode: Mode,
    legs: Sequence[Leg],
) -> TrainFeed:
    """Of all datasets at once, or of one after the other."""
    opening = partial(open_legs, ends=[leg.end for leg in legs]) if legs else open_feed
    return opening(
        processed_dir,
        names,
        config.split,
        mode=mode,
        batch_size=config.batch_size,
        seed=derived_seed(config.seed, ORDER),
        rank=worker.rank,
        world=worker.world,
    )


def held_out_windows(
    processed_dir: str, names: Sequence[str], config: TrainConfig
) -> list[tuple[Tensor, Masks]]:
    """The windows and masks of every validation of a training: the same in any order of names."""
    return _scored(
        processed_dir, sorted(names), config, config.val_batches, (HELD_OUT, HELD_OUT_MASKS)
    )


def leg_windows(
    processed_dir: str, names: Sequence[str], config: TrainConfig
) -> dict[str, list[tuple[Tensor, Masks]]]:
    """The windows and masks of each dataset that are scored after each leg.

    All datasets together have about as many as a validation; each one has a batch at least.
    """
    batches = -(-config.val_batches // len(names))
    return {
        name: _scored(processed_dir, [name], config, batches, (LEGS, LEG_MASKS)) for name in names
    }


def _scored(
    processed_dir: str,
    names: Sequence[str],
    config: TrainConfig,
    batches: int,
    consumers: tuple[int, int],
) -> list[tuple[Tensor, Masks]]:
    """A draw from the held-out side, with masks; always the same."""
    order, seed = (derived_seed(config.seed, consumer) for consumer in consumers)
    windows = open_held_out(
        processed_dir,
        names,
        config.split,
        batches=batches,
        batch_size=config.batch_size,
        seed=order,
    )
    return [
        (x, draw_masks(config.mask, seed=seed, step=i, batch=len(x))) for i, x in enumerate(windows)
    ]
