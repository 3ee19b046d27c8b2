"""Scores under weights are those of repeated rows."""

import numpy as np
import pytest
from sklearn import metrics

from jepa_ray.evaluate.probes.scores import scores

RNG = np.random.default_rng(3)
N = 60
COUNTS = RNG.integers(0, 3, (5, N))
ROWS = [np.repeat(np.arange(N), counts) for counts in COUNTS]


def compare(metric, y, predicted, expected):
    found = scores(metric, y, predicted, COUNTS.astype(float))
    assert found == pytest.approx([expected(y[rows], predicted[rows]) for rows in ROWS])


def test_roc_auc_counts_ties_half():
    y, predicted = RNG.integers(2, size=N), RNG.integers(5, size=N) / 4
    compare("roc_auc", y, predicted, metrics.roc_auc_score)


def test_macro_f1_is_over_all_classes():
    y, predicted = np.arange(N) % 3, RNG.integers(3, size=N)
    compare("macro_f1", y, predicted, lambda a, b: metrics.f1_score(a, b, average="macro"))


def test_r2_is_against_the_mean_of_the_resample():
    y = RNG.standard_normal(N)
    compare("r2", y, y + RNG.standard_normal(N), metrics.r2_score)


def test_brier_is_the_mean_over_bins():
    y, predicted = RNG.random((N, 10)), RNG.random((N, 10))
    compare("brier", y, predicted, metrics.mean_squared_error)


def test_a_draw_without_rows_has_no_macro_f1():
    y = np.arange(4) % 2
    found = scores("macro_f1", y, y, np.array([[0.0] * 4, [0, 1, 0, 1]]))
    assert np.isnan(found[0])
    assert found[1] == 1  # of the one class that was drawn


def test_one_class_has_no_roc_auc():
    assert np.isnan(scores("roc_auc", np.ones(4), np.arange(4), np.ones((1, 4)))).all()
