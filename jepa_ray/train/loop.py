"""One worker's training loop. Pure torch: no Ray here, so it runs and is tested without it.

Every number that decides what is computed follows from (seed, step): the windows of a step, their
masks, the held-out windows and their masks.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from jepa_ray.config import TrainConfig
from jepa_ray.corpus import Corpus, MemoryFeed, Rows, Share, densify, held_out_batches
from jepa_ray.errors import CorpusError, TrainingError
from jepa_ray.model import JEPAOutput, Masks, ScheduleJEPA, draw_masks, measure

_CHECK_EVERY = 25
"""Steps between looks at the loss: reading it makes a GPU wait."""

ORDER, MASKS, HELD_OUT, HELD_OUT_MASKS = range(4)
"""Consumers of the seed; each derives its own."""


class Forward(Protocol):
    """The model, or the DDP module around it."""

    def __call__(self, x: Tensor, visible: Tensor, hidden: Tensor, /) -> JEPAOutput:
        """As `ScheduleJEPA.forward`."""
        ...


@dataclass(frozen=True)
class Worker:
    """Which part of the global batch this process computes, and where."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


Report = Callable[[dict[str, Any]], None]
"""Told a metrics row at each validation, and a short one (`step`, `loss`) in between."""


def derived_seed(seed: int, consumer: int) -> int:
    """The seed of one consumer: independent streams from one number."""
    return int(np.random.SeedSequence([seed, consumer]).generate_state(1, np.uint64)[0] >> 1)


def run_training(
    model: ScheduleJEPA,
    forward: Forward,
    corpus: Corpus,
    config: TrainConfig,
    worker: Worker,
    report: Report,
) -> list[dict[str, Any]]:
    """Train for `config.steps` steps.

    Args:
        model: On the worker's device; changed in place.
        forward: `model` itself, or its DDP wrapper when there are several workers.
        corpus: Split datasets; the loop draws over all their training windows.
        config: Of the training.
        worker: This process.
        report: Called by rank 0 only.

    Returns:
        The metrics rows, one a validation: step 0 (untrained), each `val_every`, and the end. Empty
        on other ranks.

    Raises:
        CorpusError: A side is empty.
        TrainingError: A loss is not finite.
    """
    train, held_out = corpus.side("train"), corpus.side("val")
    if not len(train) or not len(held_out):
        raise CorpusError(
            f"{len(train)} training and {len(held_out)} held-out windows: both sides need one; "
            "prepare more data"
        )
    feed = MemoryFeed(
        Rows(train, np.concatenate([d.uid[d.train] for d in corpus.datasets])),
        np.arange(len(train)),
        batch_size=config.batch_size,
        seed=derived_seed(config.seed, ORDER),
        share=Share(worker.rank, worker.world),
    )
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=config.lr, weight_decay=config.weight_decay, fused=True
    )
    losses: list[Tensor] = []
    rows: list[dict[str, Any]] = []
    began = time.monotonic()

    def validate(step: int) -> None:
        if worker.rank:
            return
        batches = list(validation_batches(corpus, config))
        monitors = measure(model, batches, device=worker.device).monitors
        if not math.isfinite(monitors.loss):
            raise TrainingError(_not_finite("held-out loss", f"at step {step}"))
        row = {
            "step": step,
            "train_loss": _mean(losses[-config.val_every :]),
            "val_loss": monitors.loss,
            **{k: v for k, v in monitors.as_dict().items() if k != "loss"},
            "seconds": round(time.monotonic() - began, 3),
        }
        rows.append(row)
        report(row)

    validate(0)
    model.train()
    for step in range(config.steps):
        losses.append(_step(model, forward, optimizer, feed, config, worker, step))
        done = step + 1
        validates = done % config.val_every == 0 or done == config.steps
        if validates or done % _CHECK_EVERY == 0:
            _require_finite(losses[-_CHECK_EVERY:], done)
            if not worker.rank:
                report({"step": done, "loss": float(losses[-1])})
        if validates:
            validate(done)
    return rows


def validation_batches(corpus: Corpus, config: TrainConfig) -> Iterator[tuple[Tensor, Masks]]:
    """The held-out windows and masks of every validation of a training: always the same."""
    batches = held_out_batches(
        corpus.side("val"),
        batches=config.val_batches,
        batch_size=config.batch_size,
        seed=derived_seed(config.seed, HELD_OUT),
    )
    seed = derived_seed(config.seed, HELD_OUT_MASKS)
    for i, windows in enumerate(batches):
        yield windows, draw_masks(config.mask, seed=seed, step=i, batch=len(windows))


def _step(
    model: ScheduleJEPA,
    forward: Forward,
    optimizer: torch.optim.Optimizer,
    feed: MemoryFeed,
    config: TrainConfig,
    worker: Worker,
    step: int,
) -> Tensor:
    x = densify(feed.batch(step).windows, worker.device)
    seed = derived_seed(config.seed, MASKS)
    masks = draw_masks(config.mask, seed=seed, step=step, batch=config.batch_size)
    visible, hidden = masks.rows(slice(worker.rank, None, worker.world)).tensors(worker.device)
    loss = model.loss(forward(x, visible, hidden))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    model.update_target(config.ema)
    return loss.detach()


def _require_finite(losses: list[Tensor], step: int) -> None:
    if not torch.isfinite(torch.stack(losses)).all():
        raise TrainingError(_not_finite("loss", f"within the {len(losses)} steps up to {step}"))


def _not_finite(what: str, when: str) -> str:
    return (
        f"the {what} is not finite {when}; lower lr, or look for damaged windows with "
        "`jepa-ray inspect`"
    )


def _mean(losses: list[Tensor]) -> float | None:
    return float(torch.stack(losses).mean()) if losses else None


def distribute(model: ScheduleJEPA, worker: Worker) -> Forward:
    """The model itself, or DDP around it when there are several workers."""
    if worker.world == 1:
        return model
    ids = [worker.device] if worker.device.type == "cuda" else None
    wrapped: Forward = nn.parallel.DistributedDataParallel(model, device_ids=ids)
    return wrapped
