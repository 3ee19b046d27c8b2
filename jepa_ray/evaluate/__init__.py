"""Checkpoint -> loss, skill, collapse report, verdict; and embeddings of windows."""

from jepa_ray.evaluate.compare import Evaluation, evaluate
from jepa_ray.evaluate.embed import EmbedResult, embed_windows
from jepa_ray.evaluate.verdict import Verdict, judge

__all__ = ["EmbedResult", "Evaluation", "Verdict", "embed_windows", "evaluate", "judge"]
