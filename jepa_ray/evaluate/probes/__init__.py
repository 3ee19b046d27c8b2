"""Frozen embeddings -> what they are good for, beside everything that is cheaper."""

from jepa_ray.evaluate.probes.run import RESULT, TASKS, find, probe

__all__ = ["RESULT", "TASKS", "find", "probe"]
