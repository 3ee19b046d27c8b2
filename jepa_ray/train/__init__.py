"""Ray Train: the loop of one worker in pure torch, and the trainer around it."""

from jepa_ray.train.trainer import TrainResult, train

__all__ = ["TrainResult", "train"]
