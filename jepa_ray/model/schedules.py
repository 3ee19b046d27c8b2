"""What changes from step to step: pure functions of (step, config)."""

import math

from jepa_ray.config import TrainConfig


def learning_rate(step: int, config: TrainConfig) -> float:
    """The learning rate of a step: linear warm-up, then constant or a cosine to `end_lr`."""
    warmup = round(config.schedule.warmup * config.steps)
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule.decay == "constant":
        return config.lr
    share = _cosine((step - warmup) / max(config.steps - warmup, 1))
    return config.lr * (config.schedule.end_lr + (1 - config.schedule.end_lr) * share)


def ema_decay(step: int, config: TrainConfig) -> float:
    """The decay of the target encoder after a step: constant, or a cosine to `end_ema`."""
    end = config.schedule.end_ema
    if end is None:
        return config.ema
    return end + (config.ema - end) * _cosine(step / config.steps)


def _cosine(done: float) -> float:
    return (1 + math.cos(math.pi * done)) / 2
