"""Ray Train: the loop of one worker in pure torch, and the trainer around it."""

from jepa_ray.train.jobs import Job
from jepa_ray.train.smoke import SmokeResult, run_smoke
from jepa_ray.train.trainer import TrainResult, train, train_many

__all__ = ["Job", "SmokeResult", "TrainResult", "run_smoke", "train", "train_many"]
