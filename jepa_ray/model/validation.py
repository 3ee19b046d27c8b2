"""Measure a model on batches: the same numbers in training and in evaluation."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from jepa_ray.model.layers import take_slots
from jepa_ray.model.masks import Masks
from jepa_ray.model.monitors import EmbeddingMeter, Monitors, SkillMeter
from jepa_ray.model.network import ScheduleJEPA


class Measured(NamedTuple):
    """What `measure` saw.

    Attributes:
        monitors: The numbers.
        pooled: float64 [N, D] on the CPU, window embeddings in the order of the batches, at most
            20,000; None unless asked for.
    """

    monitors: Monitors
    pooled: Tensor | None


def measure(
    model: ScheduleJEPA,
    batches: Iterable[tuple[Tensor, Masks]],
    *,
    device: torch.device | str,
    keep_pooled: bool = False,
) -> Measured:
    """Run the model over the batches once, without a gradient.

    The target encoder runs once per batch: its tokens are both what the loss is measured against
    and the embeddings whose spread is monitored. The model's training flag is restored.

    Args:
        model: Lies on `device`.
        batches: Windows [B, 96, 16] and their masks; B may differ from batch to batch.
        device: Where to compute.
        keep_pooled: Also return the window embeddings.

    Returns:
        The monitors over all batches, each window weighing the same.

    Raises:
        ValueError: There is no batch.
    """
    skill, spread = SkillMeter(), EmbeddingMeter()
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for windows, masks in batches:
                x = windows.to(device, non_blocking=True)
                visible, hidden = masks.tensors(device)
                tokens = model.target_tokens(x)  # [B, 96, D]
                predictions = model.predict(x, visible, hidden)  # [B, H, D]
                skill.update(predictions, take_slots(tokens, hidden), hidden)
                spread.update(tokens)
    finally:
        model.train(training)
    monitors = Monitors(
        loss=skill.loss,
        skill=skill.skill,
        slot_std=spread.slot_std,
        rankme=spread.rankme,
        cosine_to_mean=spread.cosine_to_mean,
    )
    return Measured(monitors, spread.pooled.clone() if keep_pooled else None)
