"""The fixed referee: how well a linear readout of the frozen embeddings tells what never moves.

A model's own loss is measured against its own target encoder, so the losses of two models do not
compare. These do: the targets depend on the windows and the split alone.

- pca64: the first 64 principal coordinates of the raw windows (96 x 14 stored features), fitted on
  training windows.
- frozen_random: the embedding by an encoder of `FROZEN_SEED` that nothing ever trains, of the
  default size.

The readout is a ridge regression from the window embedding, fitted on training windows and scored
on held-out ones. Normalised loss: 0 says it all, 1 is worth the training windows' mean.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh

from jepa_ray.config import ModelConfig
from jepa_ray.corpus import Sample
from jepa_ray.evaluate.ridge import Scaler, weights
from jepa_ray.model import ScheduleJEPA
from jepa_ray.model.monitors import NOISE
from jepa_ray.windows import POSITIONS

COORDINATES = 64
FROZEN_SEED = 2**62 + 64
PENALTY = 1e-3
"""Of the readout, per training window."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Target:
    """What is told, of training and of held-out windows: float64 [n, T] and [m, T]."""

    training: Floats
    held_out: Floats


def referee_targets(training: Sample, held_out: Sample) -> dict[str, Target]:
    """Both targets of some windows."""
    frozen = ScheduleJEPA(ModelConfig(), seed=FROZEN_SEED).eval()
    sides = (training, held_out)
    return {
        "pca64": Target(*_principal(*(_raw(side) for side in sides))),
        "frozen_random": Target(*(_embedded(frozen, side) for side in sides)),
    }


def readout_loss(x: Floats, x_held_out: Floats, target: Target) -> float | None:
    """Normalised loss of the readout.

    Args:
        x: float64 [n, D], embeddings of the training windows.
        x_held_out: float64 [m, D].
        target: Of the same windows.

    Returns:
        Squared error / squared deviation from the training windows' mean; None where the held-out
        targets do not deviate from it.
    """
    mean = target.training.mean(axis=0)
    left = target.held_out - mean
    constant = float(np.square(left).sum())
    if constant <= NOISE**2 * float(np.square(target.held_out).sum()):
        return None
    scaler = Scaler.of(x)
    found = weights(scaler.scaled(x), target.training - mean, penalty=PENALTY * len(x))
    return float(np.square(left - scaler.scaled(x_held_out) @ found).sum()) / constant


def _raw(sample: Sample) -> Floats:
    """The stored features of each window: float64 [n, 96 * 14]."""
    dense = sample.windows.densify()[:, :, POSITIONS:]
    return dense.reshape(len(dense), -1).astype(np.float64)


def _principal(training: Floats, held_out: Floats) -> tuple[Floats, Floats]:
    """Coordinates on the first principal axes of the training windows: 64, or as many as vary."""
    mean = training.mean(axis=0)
    centred = training - mean
    varies = centred.any(axis=0)
    centred, left = centred[:, varies], (held_out - mean)[:, varies]
    axes = _axes(centred) if centred.size else np.zeros((0, 0))
    return centred @ axes.T, left @ axes.T


def _axes(centred: Floats) -> Floats:
    """Leading right singular vectors of x [n, F], by the smaller of x x' and x' x: [k, F]."""
    wide = centred.shape[0] < centred.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred
    most = len(gram) - 1
    values, vectors = eigh(gram, subset_by_index=[max(most - COORDINATES + 1, 0), most])
    large = values > NOISE * values[-1]
    axes = (centred.T @ vectors[:, large] if wide else vectors[:, large]).T
    found: Floats = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    return found


def _embedded(model: ScheduleJEPA, sample: Sample) -> Floats:
    with torch.inference_mode():
        pooled = [model.embed(x).double() for x in sample.batches(32)]
    found: Floats = torch.cat(pooled).numpy()
    return found
