"""Checkpoint -> loss, skill, collapse report, verdict."""

from jepa_ray.evaluate.compare import Evaluation, evaluate
from jepa_ray.evaluate.verdict import Verdict, judge

__all__ = ["Evaluation", "Verdict", "evaluate", "judge"]
