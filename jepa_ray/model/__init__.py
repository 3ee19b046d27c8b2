"""The JEPA in pure torch: network, masks, and the monitors that say whether it learned."""

from jepa_ray.model.masks import Masks, draw_masks, hidden_count, span_masks
from jepa_ray.model.monitors import EmbeddingMeter, Monitors, SkillMeter, linear_cka
from jepa_ray.model.network import JEPAOutput, ScheduleJEPA
from jepa_ray.model.validation import Measured, measure

__all__ = [
    "EmbeddingMeter",
    "JEPAOutput",
    "Masks",
    "Measured",
    "Monitors",
    "ScheduleJEPA",
    "SkillMeter",
    "draw_masks",
    "hidden_count",
    "linear_cka",
    "measure",
    "span_masks",
]
