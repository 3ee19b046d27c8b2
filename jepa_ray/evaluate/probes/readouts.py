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

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.arms import Readout
from jepa_ray.evaluate.probes.labels import (
    Values,
    as_metric_wants,
    class_weights,
    group_folds,
    is_class,
    prior,
    targets,
)
from jepa_ray.evaluate.probes.problem import Float32, Problem, seeded

log = logging.getLogger(__name__)

_MAX_ITER = 300
_LEAVES, _BINS = 15, 63
_ASKED = 512  # test rows compared with all training rows at once


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
    y, weights = targets(problem)[problem.train], class_weights(problem)
    k = min(config.neighbours, len(known))
    means = np.zeros((len(asked), y.shape[1]))
    for start in range(0, len(asked), _ASKED):
        alike = asked[start : start + _ASKED] @ known.T
        near = np.argpartition(alike, len(known) - k, axis=1)[:, len(known) - k :]
        voices = weights[near][:, :, None]
        means[start : start + _ASKED] = (voices * y[near]).sum(axis=1) / voices.sum(axis=1)
    return as_metric_wants(means, problem)


def _standardised(x: Float32, problem: Problem) -> NDArray[np.float64] | None:
    """By the training rows, without what is the same in all of them; None where nothing is left."""
    train = problem.train
    kept = np.ptp(x[train], axis=0) > 0
    if not kept.any():
        return None
    found = np.asarray(x[:, kept], np.float64)
    scaled: NDArray[np.float64] = (found - found[train].mean(axis=0)) / found[train].std(axis=0)
    return scaled


def _linear(x: Values, problem: Problem, config: ProbeConfig) -> Any:
    """The readout of the best penalty, fitted on all training rows."""
    y, weights = problem.y[problem.train], class_weights(problem)
    penalties = sorted(config.penalties, reverse=True)
    losses = np.zeros(len(penalties))
    for fit, held in group_folds(problem, config):
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
    if is_class(problem):
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
    if not is_class(problem):
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
    if is_class(problem):
        model = HistGradientBoostingClassifier(**budget)
        _fitted(model, x[train], problem.y[train], class_weights(problem))
        return _said(model, x[test], problem)
    columns = problem.y.reshape(len(problem.y), -1).T
    make: Callable[..., Any] = HistGradientBoostingRegressor
    found = [make(**budget).fit(x[train], y[train]).predict(x[test]) for y in columns]
    return as_metric_wants(np.stack(found, axis=1), problem)


def _said(model: Any, x: Values, problem: Problem) -> Values:
    if not is_class(problem):
        found = np.asarray(model.predict(x))
        return as_metric_wants(found.reshape(len(x), -1), problem)
    return as_metric_wants(model.predict_proba(x), problem)
