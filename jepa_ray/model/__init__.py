"""The JEPA in pure torch: network, masks, objectives, and what says whether it learned."""

from jepa_ray.model.masks import Masks, draw_masks, hidden_count, mask_kinds
from jepa_ray.model.monitors import EmbeddingMeter, Monitors, SkillMeter, linear_cka
from jepa_ray.model.network import JEPAOutput, ScheduleJEPA
from jepa_ray.model.objectives import Objective, StepLoss, build_objective, parameter_groups
from jepa_ray.model.precision import autocast, compiled, resolved
from jepa_ray.model.schedules import ema_decay, learning_rate
from jepa_ray.model.validation import Measured, Seen, measure, run_over, watched

__all__ = [
    "EmbeddingMeter",
    "JEPAOutput",
    "Masks",
    "Measured",
    "Monitors",
    "Objective",
    "ScheduleJEPA",
    "Seen",
    "SkillMeter",
    "StepLoss",
    "autocast",
    "build_objective",
    "compiled",
    "draw_masks",
    "ema_decay",
    "hidden_count",
    "learning_rate",
    "linear_cka",
    "mask_kinds",
    "measure",
    "parameter_groups",
    "resolved",
    "run_over",
    "watched",
]
