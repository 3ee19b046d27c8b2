"""Readouts on frozen features: linear with a cross-validated penalty, trees, nearest neighbours.

Linear is logistic or ridge. One family for all arms of a task. Features are standardised by the
training rows. Predictions are what the metric wants: a score for ROC AUC, a class for macro F1,
else values.
"""

import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.arms import Readout
from jepa_ray.evaluate.probes.problem import Float32, Problem, seeded

log = logging.getLogger(__name__)

_MAX_ITER = 300
_LEAVES, _BINS = 15, 63
_ASKED = 512  # test rows compared with all training rows at once
Values = NDArray[Any]


def predict(x: Float32, problem: Problem, readout: Readout, config: ProbeConfig) -> Values:
    """Fit a readout on the training rows; what it says of the test rows.

    Args:
        x: (n, width), the features of one arm.
        problem: Labels and sides.
        readout: Which family.
        config: The budget.

    Returns:
        One entry a test row: a probability, a class, a value, or (bins,) shares.
    """
    standard = _standardised(x, problem)
    if standard is None:
        return prior(problem)
    if readout == "trees":
        return _trees(standard, problem, config)
    model = _linear(standard[problem.train], problem, config)
    return _said(model, standard[problem.test], problem)


def nearest(x: Float32, problem: Problem, config: ProbeConfig) -> Values:
    """What the nearest training rows say of each test row, by cosine on standardised features.

    Each of `config.neighbours` has one voice (for macro F1 in the weight of its class); of rows
    that are equally near, some are taken, always the same. Returns as `predict`.
    """
    standard = _standardised(x, problem)
    if standard is None:
        return prior(problem)
    rows = standard.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    known, asked = rows[problem.train], rows[problem.test]
    y, weights = _one_hot(problem)[problem.train], _weights(problem)
    k = min(config.neighbours, len(known))
    means = np.zeros((len(asked), y.shape[1]))
    for start in range(0, len(asked), _ASKED):
        alike = asked[start : start + _ASKED] @ known.T
        near = np.argpartition(alike, len(known) - k, axis=1)[:, len(known) - k :]
        voices = weights[near][:, :, None]
        means[start : start + _ASKED] = (voices * y[near]).sum(axis=1) / voices.sum(axis=1)
    return _shaped(means, problem)


def _standardised(x: Float32, problem: Problem) -> NDArray[np.float64] | None:
    """By the training rows, without what is the same in all of them; None where nothing is left."""
    train = problem.train
    kept = np.ptp(x[train], axis=0) > 0
    if not kept.any():
        return None
    found = np.asarray(x[:, kept], np.float64)
    scaled: NDArray[np.float64] = (found - found[train].mean(axis=0)) / found[train].std(axis=0)
    return scaled


def prior(problem: Problem) -> Values:
    """What the training labels say without any feature, each stratum by itself.

    A stratum that has no training row gets what all of them say.
    """
    y, strata = _one_hot(problem), problem.strata
    weights = _weights(problem)
    means = np.zeros((len(problem.test), y.shape[1]))
    means[:] = np.average(y[problem.train], axis=0, weights=weights)
    for stratum in np.unique(strata[problem.train]):
        mine = strata[problem.train] == stratum
        mean = np.average(y[problem.train][mine], axis=0, weights=weights[mine])
        means[strata[problem.test] == stratum] = mean
    return _shaped(means, problem)


def _linear(x: Values, problem: Problem, config: ProbeConfig) -> Any:
    """The readout of the best penalty, fitted on all training rows."""
    y, weights = problem.y[problem.train], _weights(problem)
    cluster = problem.cluster[problem.train]
    penalties = sorted(config.penalties, reverse=True)
    losses = np.zeros(len(penalties))
    folds = min(config.folds, len(np.unique(cluster)))
    for fit, held in GroupKFold(folds).split(x, groups=cluster):
        if _is_class(problem) and len(np.unique(y[fit])) < len(np.unique(y)):
            continue  # a class would be missing: this fold says nothing
        model = _model(problem)
        for place, penalty in enumerate(penalties):
            _set_penalty(model, penalty)
            _fitted(model, x[fit], y[fit], weights[fit])
            losses[place] += _loss(model, x[held], y[held], weights[held], problem)
    model = _model(problem)
    _set_penalty(model, penalties[int(losses.argmin())])
    if not _fitted(model, x, y, weights):
        log.info("%s: a readout did not converge in %d steps", problem.task.name, _MAX_ITER)
    return model


def _model(problem: Problem) -> Any:
    if _is_class(problem):
        return LogisticRegression(max_iter=_MAX_ITER, warm_start=True)
    return Ridge(solver="cholesky")


def _set_penalty(model: Any, penalty: float) -> None:
    """The same scale for both: penalty x squared norm / 2 beside the summed loss."""
    name, value = ("C", 1 / penalty) if hasattr(model, "C") else ("alpha", penalty)
    model.set_params(**{name: value})


def _fitted(model: Any, x: Values, y: Values, weights: Values) -> bool:
    """Fit; whether it converged. Other warnings go their way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, y, sample_weight=weights)
    for other in (w for w in caught if not issubclass(w.category, ConvergenceWarning)):
        warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return not any(issubclass(w.category, ConvergenceWarning) for w in caught)


def _loss(model: Any, x: Values, y: Values, weights: Values, problem: Problem) -> float:
    if not _is_class(problem):
        error = np.square(model.predict(x) - y)
        return float(error.sum())
    likely = np.clip(model.predict_proba(x)[np.arange(len(y)), y], 1e-12, 1)
    return float(-(weights * np.log(likely)).sum())


def _trees(x: Values, problem: Problem, config: ProbeConfig) -> Values:
    train, test = problem.train, problem.test
    budget: dict[str, Any] = {
        "max_iter": config.tree_rounds,
        "max_leaf_nodes": _LEAVES,
        "max_bins": _BINS,
        "early_stopping": False,
        "random_state": int(seeded(config.seed, 9).integers(2**31)),
    }
    if _is_class(problem):
        model = HistGradientBoostingClassifier(**budget)
        _fitted(model, x[train], problem.y[train], _weights(problem))
        return _said(model, x[test], problem)
    columns = problem.y.reshape(len(problem.y), -1).T
    make: Callable[..., Any] = HistGradientBoostingRegressor
    found = [make(**budget).fit(x[train], y[train]).predict(x[test]) for y in columns]
    return _shaped(np.stack(found, axis=1), problem)


def _said(model: Any, x: Values, problem: Problem) -> Values:
    if not _is_class(problem):
        found = np.asarray(model.predict(x))
        return _shaped(found.reshape(len(x), -1), problem)
    return _shaped(model.predict_proba(x), problem)


def _shaped(means: Values, problem: Problem) -> Values:
    """What the metric wants, of (n, classes) probabilities or (n, outputs) values."""
    metric = problem.task.metric
    if metric == "roc_auc":
        found: Values = means[:, 1]
    elif metric == "macro_f1":
        found = means.argmax(axis=1)
    else:
        found = np.clip(means, 0, 1) if metric == "brier" else means[:, 0]
    return found


def _is_class(problem: Problem) -> bool:
    return problem.task.metric in ("roc_auc", "macro_f1")


def _one_hot(problem: Problem) -> Values:
    if _is_class(problem):
        found: Values = np.eye(int(problem.y.max()) + 1)[problem.y]
        return found
    return problem.y.reshape(len(problem.y), -1)


def _weights(problem: Problem) -> NDArray[np.float64]:
    """Of the training rows: for macro F1 every class weighs the same in sum, else 1 each."""
    y = problem.y[problem.train]
    if problem.task.metric != "macro_f1":
        return np.ones(len(y))
    counts = np.bincount(y)
    found: NDArray[np.float64] = len(y) / (np.count_nonzero(counts) * counts[y])
    return found
