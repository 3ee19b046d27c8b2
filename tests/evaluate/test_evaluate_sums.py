"""Sums by window: the same numbers as the meters, and intervals that hold what they should."""

import dataclasses

import numpy as np
import pytest
import torch

from jepa_ray.evaluate.analysis import few_actors
from jepa_ray.evaluate.distance import BINS, bin_of
from jepa_ray.evaluate.passes import NotFiniteError, run
from jepa_ray.evaluate.sums import Bootstrap, Rows, Sums
from jepa_ray.model import measure
from tests.corpus.windows import days
from tests.evaluate.made import Deaf, batches_of, sample_of, tiny, tiny_pass, whole_days


def normal_sums(n: int, seed: int, skill: float = 0.5) -> Sums:
    rng = np.random.default_rng(seed)
    constant = rng.gamma(2.0, size=n)
    error = constant * (1 - skill) + rng.normal(scale=0.2, size=n)
    return Sums(error, constant, np.ones(n), np.full(n, 3.0))


def test_a_pass_gives_the_monitors_of_a_validation():
    model, found, sample = tiny_pass()
    assert found.monitors == measure(model, batches_of(sample), device="cpu").monitors


def test_loss_and_skill_of_the_sums_are_those_of_the_meters():
    _, found, _ = tiny_pass(kind="blocks")
    sums = Rows(found.predicted).sums()
    assert sums.loss == pytest.approx(found.monitors.loss, rel=1e-12)
    assert sums.skill == pytest.approx(found.monitors.skill, rel=1e-9)


def test_the_distances_add_up_to_the_whole():
    _, found, _ = tiny_pass()
    rows, place = Rows(found.predicted), bin_of(found.predicted.distance)
    parts = [rows.sums(rows=place == i) for i in range(len(BINS))]
    whole = rows.sums()
    for field in dataclasses.fields(Sums):
        added = sum(getattr(part, field.name) for part in parts)
        np.testing.assert_allclose(added, getattr(whole, field.name))


def test_some_windows_of_a_pass_are_the_pass_over_them():
    model, found, sample = tiny_pass(16)
    chosen = np.arange(16) >= 8
    some = found.predicted.of(chosen)
    alone = run(model, batches_of(sample)[1:]).predicted
    assert some.windows == 8
    for name in ("window", "slot", "distance", "error", "copied"):
        assert (getattr(some, name) == getattr(alone, name)).all()
    assert torch.equal(some.targets, alone.targets)
    both = found.predicted.of(~chosen).joined(some)
    assert (both.window == found.predicted.window).all()
    assert (both.error == found.predicted.error).all()


def test_targets_that_do_not_vary_have_no_skill_and_no_width():
    sample = sample_of(whole_days(1).take(np.zeros(12, int)))
    sums = Rows(run(Deaf(), batches_of(sample)).predicted).sums()
    assert not sums.varies
    assert sums.skill == 0
    assert Bootstrap(np.arange(12), draws=100).skill(sums) == (0.0, 0.0)


def test_the_interval_of_a_skill_holds_the_true_one_about_as_often_as_it_says():
    held = 0
    for seed in range(60):
        low, high = Bootstrap(np.arange(200), draws=200, seed=seed).skill(normal_sums(200, seed))
        held += low <= 0.5 <= high
    assert held >= 51


def test_copies_of_an_actors_window_do_not_make_an_interval_narrower():
    once = normal_sums(50, 1)
    often = once.of(np.repeat(np.arange(50), 20))
    alone = Bootstrap(np.arange(50), seed=2).skill(once)
    together = Bootstrap(np.repeat(np.arange(50), 20), seed=2).skill(often)
    assert together == pytest.approx(alone)


def test_few_actors_are_a_warning_and_windows_of_nobody_are_none():
    (said,) = few_actors("the scored windows of a", np.arange(40) % 5)
    assert "the scored windows of a belong to 5 actors" in said
    assert not list(few_actors("they", np.arange(40) % 10))
    assert not list(few_actors("they", np.arange(5)))


def test_with_few_actors_windows_are_drawn():
    assert Bootstrap(np.arange(9).repeat(5), draws=100).by_window
    assert not Bootstrap(np.arange(10).repeat(5), draws=100).by_window


def test_a_rise_is_told_of_pairs():
    sums = normal_sums(100, 3)
    worse = dataclasses.replace(sums, error=sums.error * 1.5)
    assert Bootstrap(np.arange(100), draws=100).rise(worse, sums) == pytest.approx((0.5, 0.5))


def test_a_model_that_is_not_finite_is_said_so():
    model = tiny()
    with torch.no_grad():
        model.target_encoder.norm.weight.fill_(float("nan"))
    with pytest.raises(NotFiniteError):
        run(model, batches_of(sample_of(days(8))))
