"""Scores under weights: one row of weights a resample, so a bootstrap is one call.

ROC AUC with ties counted half (Mann and Whitney 1947); macro F1 over the classes in a draw; R2
against the test mean; Brier 1950, as the mean over bins; the share of hits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.evaluate.probes.problem import Metric

Weights = NDArray[np.float64]
Scores = NDArray[np.float64]


def scores(
    metric: Metric, y: NDArray[np.generic], predicted: NDArray[np.generic], weights: Weights
) -> Scores:
    """A score for each row of weights.

    Args:
        metric: Which.
        y: (n,) labels, or (n, bins) shares; for `top1` (n,) classes.
        predicted: As the readouts give them.
        weights: float64 (resamples, n), how often each row is drawn.

    Returns:
        float64 (resamples,); NaN where a resample has no score (no row, or one class only).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return _SCORES[metric](np.asarray(y), np.asarray(predicted), weights)


def _roc_auc(y: Any, predicted: Any, weights: Weights) -> Scores:
    order = np.argsort(predicted, kind="stable")
    starts = np.flatnonzero(np.diff(predicted[order], prepend=np.nan) != 0)
    ones = np.add.reduceat(weights[:, order] * (y[order] == 1), starts, axis=1)
    zeros = np.add.reduceat(weights[:, order] * (y[order] != 1), starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros / 2
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    found: Scores = (ones * below).sum(axis=1) / pairs
    return found


def _macro_f1(y: Any, predicted: Any, weights: Weights) -> Scores:
    total, classes = np.zeros(len(weights)), np.zeros(len(weights))
    for k in np.unique(y):
        hits, of_class = weights @ ((y == k) & (predicted == k)), weights @ (y == k)
        total += np.where(of_class > 0, 2 * hits / (of_class + weights @ (predicted == k)), 0.0)
        classes += of_class > 0
    found: Scores = total / classes
    return found


def _r2(y: Any, predicted: Any, weights: Weights) -> Scores:
    size = weights.sum(axis=1)
    centred = y - y.mean()
    spread = weights @ np.square(centred) - np.square(weights @ centred) / size
    found: Scores = 1 - (weights @ np.square(y - predicted)) / np.where(spread > 0, spread, np.nan)
    return found


def _brier(y: Any, predicted: Any, weights: Weights) -> Scores:
    found: Scores = (weights @ np.square(y - predicted).mean(axis=1)) / weights.sum(axis=1)
    return found


def _top1(y: Any, predicted: Any, weights: Weights) -> Scores:
    found: Scores = (weights @ (y == predicted)) / weights.sum(axis=1)
    return found


_SCORES = {
    "roc_auc": _roc_auc,
    "macro_f1": _macro_f1,
    "r2": _r2,
    "brier": _brier,
    "top1": _top1,
}
