"""What changes from step to step: pure functions of the step.

`step` counts from 0, the step about to be done.
"""

import math

from jepa_ray.config import TrainConfig


def learning_rate(step: int, config: TrainConfig) -> float:
    """AdamW's learning rate.

    Rises linearly to `lr` over the first `warmup * steps` steps, the last of which has it; then
    stays, or falls by half a cosine towards `end_lr * lr`, which step `steps` would have.
    """
    schedule = config.schedule
    warm = round(schedule.warmup * config.steps)
    if step < warm:
        return config.lr * (step + 1) / warm
    if schedule.decay == "constant":
        return config.lr
    left = _half_cosine((step - warm) / max(config.steps - warm, 1))
    return config.lr * (schedule.end_lr + (1 - schedule.end_lr) * left)


def ema_decay(step: int, config: TrainConfig) -> float:
    """The target encoder's decay: `ema`, or on half a cosine from there to `end_ema`."""
    end = config.schedule.end_ema
    if end is None:
        return config.ema
    return end + (config.ema - end) * _half_cosine(step / config.steps)


def _half_cosine(progress: float) -> float:
    """1 at 0, 0 from 1 on."""
    return (1 + math.cos(math.pi * min(progress, 1.0))) / 2
