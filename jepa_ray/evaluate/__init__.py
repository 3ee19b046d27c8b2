"""Checkpoint -> loss, skill, collapse report, controls, verdict; embeddings and probes."""

from jepa_ray.evaluate.analysis import FEWEST_WINDOWS
from jepa_ray.evaluate.compare import Evaluation, evaluate
from jepa_ray.evaluate.embed import EmbedResult, embed_windows
from jepa_ray.evaluate.files import folder_of_training, keep
from jepa_ray.evaluate.find import confirmation
from jepa_ray.evaluate.of_run import RunEvaluation, evaluate_run
from jepa_ray.evaluate.verdict import Evidence, Verdict, judge

__all__ = [
    "FEWEST_WINDOWS",
    "EmbedResult",
    "Evaluation",
    "Evidence",
    "RunEvaluation",
    "Verdict",
    "confirmation",
    "embed_windows",
    "evaluate",
    "evaluate_run",
    "folder_of_training",
    "judge",
    "keep",
]
