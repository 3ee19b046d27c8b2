"""Ray Train: the loop of one worker in pure torch, and the trainer around it."""

from jepa_ray.train.jobs import Job
from jepa_ray.train.trainer import TrainResult, train, train_many

__all__ = ["Job", "TrainResult", "train", "train_many"]
