"""What labels say by themselves, and what of a prediction a metric wants."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Index, Problem

Values = NDArray[Any]


def prior(problem: Problem) -> Values:
    """What the training labels say without any feature, each stratum by itself.

    A stratum that has no training row gets what all of them say.
    """
    y, strata = targets(problem), problem.strata
    weights = class_weights(problem)
    means = np.zeros((len(problem.test), y.shape[1]))
    means[:] = np.average(y[problem.train], axis=0, weights=weights)
    for stratum in np.unique(strata[problem.train]):
        mine = strata[problem.train] == stratum
        mean = np.average(y[problem.train][mine], axis=0, weights=weights[mine])
        means[strata[problem.test] == stratum] = mean
    return as_metric_wants(means, problem)


def as_metric_wants(means: Values, problem: Problem) -> Values:
    """A score for ROC AUC, a class for macro F1, else values.

    Args:
        means: (n, classes) probabilities or (n, outputs) values.
        problem: Whose metric.
    """
    metric = problem.task.metric
    if metric == "roc_auc":
        found: Values = means[:, 1]
    elif metric == "macro_f1":
        found = means.argmax(axis=1)
    else:
        found = np.clip(means, 0, 1) if metric == "brier" else means[:, 0]
    return found


def is_class(problem: Problem) -> bool:
    """Whether labels are classes; else they are values."""
    return problem.task.metric in ("roc_auc", "macro_f1")


def targets(problem: Problem) -> Values:
    """Labels as (n, classes) of 0 and 1, or (n, outputs)."""
    if is_class(problem):
        found: Values = np.eye(int(problem.y.max()) + 1)[problem.y]
        return found
    return problem.y.reshape(len(problem.y), -1)


def class_weights(problem: Problem) -> NDArray[np.float64]:
    """Of the training rows: for macro F1 every class weighs the same in sum, else 1 each."""
    y = problem.y[problem.train]
    if problem.task.metric != "macro_f1":
        return np.ones(len(y))
    counts = np.bincount(y)
    found: NDArray[np.float64] = len(y) / (np.count_nonzero(counts) * counts[y])
    return found


def group_folds(problem: Problem, config: ProbeConfig) -> Iterator[tuple[Index, Index]]:
    """Places in `problem.train` to fit on and to score on; no cluster is in both.

    A fold that would be fitted on fewer classes than there are says nothing and is left out.
    """
    y, cluster = problem.y[problem.train], problem.cluster[problem.train]
    folds = min(config.folds, len(np.unique(cluster)))
    for fit, held in GroupKFold(folds).split(y, groups=cluster):
        if not is_class(problem) or len(np.unique(y[fit])) == len(np.unique(y)):
            yield fit, held
