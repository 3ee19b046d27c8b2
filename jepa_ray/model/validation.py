"""Measure a model on batches: the same numbers in training and in evaluation."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from jepa_ray.model.layers import take_slots
from jepa_ray.model.masks import Masks
from jepa_ray.model.monitors import EmbeddingMeter, Monitors, SkillMeter
from jepa_ray.model.network import ScheduleJEPA


class Seen(NamedTuple):
    """What the model makes of one batch, on the model's device; tensors of inference mode.

    Attributes:
        x: [B, 96, 16].
        hidden: int64 [B, H].
        context: [B, V, D], the context encoder's tokens at the visible slots.
        predictions: [B, H, D], at the hidden slots.
        tokens: [B, 96, D], the target encoder's.
    """

    x: Tensor
    hidden: Tensor
    context: Tensor
    predictions: Tensor
    tokens: Tensor


Watch = Callable[[Seen], None]


class Measured(NamedTuple):
    """What `measure` saw.

    Attributes:
        monitors: The numbers.
        pooled: float64 [N, D] on the CPU, window embeddings in the order of the batches, at most
            20,000; None unless asked for.
    """

    monitors: Monitors
    pooled: Tensor | None


def run_over(
    model: ScheduleJEPA,
    batches: Iterable[tuple[Tensor, Masks]],
    *watches: Watch,
    device: torch.device | str,
) -> None:
    """Run the model over the batches once, without a gradient; its training flag is restored.

    Each encoder runs once a batch, whatever watches: the target encoder's tokens are both what the
    loss is measured against and the embeddings whose spread is monitored.

    Args:
        model: Lies on `device`.
        batches: Windows [B, 96, 16] and their masks; B may differ from batch to batch.
        watches: Told of each batch.
        device: Where to compute.
    """
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for windows, masks in batches:
                x = windows.to(device, non_blocking=True)
                visible, hidden = masks.tensors(device)
                tokens = model.target_tokens(x)  # [B, 96, D]
                context = model.context_encoder(x, visible)  # [B, V, D]
                predictions = model.predictor(context, visible, hidden)  # [B, H, D]
                for watch in watches:
                    watch(Seen(x, hidden, context, predictions, tokens))
    finally:
        model.train(training)


def watched(meter: SkillMeter) -> Watch:
    """Lets a meter of the loss see a pass."""

    def watch(seen: Seen) -> None:
        meter.update(seen.predictions, take_slots(seen.tokens, seen.hidden), seen.hidden)

    return watch


def measure(
    model: ScheduleJEPA,
    batches: Iterable[tuple[Tensor, Masks]],
    *watches: Watch,
    device: torch.device | str,
    keep_pooled: bool = False,
) -> Measured:
    """Take the monitors in one pass over the batches, as `run_over` makes it.

    Args:
        model: Lies on `device`.
        batches: Windows [B, 96, 16] and their masks; B may differ from batch to batch.
        watches: Whoever else wants to see the same pass.
        device: Where to compute.
        keep_pooled: Also return the window embeddings.

    Returns:
        The monitors over all batches, each window weighing the same.

    Raises:
        ValueError: There is no batch.
    """
    skill, spread = SkillMeter(), EmbeddingMeter()

    def watch(seen: Seen) -> None:
        spread.update(seen.tokens)

    run_over(model, batches, watched(skill), watch, *watches, device=device)
    monitors = Monitors(
        loss=skill.loss,
        skill=skill.skill,
        slot_std=spread.slot_std,
        rankme=spread.rankme,
        cosine_to_mean=spread.cosine_to_mean,
    )
    return Measured(monitors, spread.pooled.clone() if keep_pooled else None)
