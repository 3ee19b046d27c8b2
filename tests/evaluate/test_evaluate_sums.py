"""Sums by window: the same numbers as the meters, and intervals that hold what they should."""

import dataclasses

import numpy as np
import pytest
import torch

from jepa_ray.config import MaskConfig
from jepa_ray.evaluate.analysis import few_actors
from jepa_ray.evaluate.distance import BINS, bin_of
from jepa_ray.evaluate.passes import NotFiniteError, Predicted, run
from jepa_ray.evaluate.sums import Bootstrap, Rows, Sums
from jepa_ray.model import draw_masks, measure
from tests.corpus.windows import days
from tests.evaluate.made import Deaf, batches_of, sample_of, tiny, tiny_pass, whole_days


def normal_sums(n: int, seed: int, skill: float = 0.5) -> Sums:
    rng = np.random.default_rng(seed)
    constant = rng.gamma(2.0, size=n)
    error = constant * (1 - skill) + rng.normal(scale=0.2, size=n)
    return Sums(error, error, constant, np.ones(n), np.full(n, 3.0))


def test_a_pass_gives_the_monitors_of_a_validation():
    model, found, sample = tiny_pass()
    assert found.monitors == measure(model, batches_of(sample), device="cpu").monitors


def test_loss_and_skill_of_the_sums_are_those_of_the_meters():
    _, found, _ = tiny_pass(kind="blocks")
    sums = Rows(found.predicted).sums()
    assert sums.loss == pytest.approx(found.monitors.loss, rel=1e-12)
    assert 0.99 < sums.compared.sum() / sums.error.sum() < 1  # a slot is hidden once
    constant = float(
        (1 - found.monitors.skill) ** -1 * sums.error.sum()
    )  # fitted where it is scored
    assert constant < sums.constant.sum() < 1.3 * constant


def predicted(n: int, explained: float, rng: np.random.Generator, width: int = 16) -> Predicted:
    """A predictor that explains a share of the variance at each slot, on n windows."""
    hidden = draw_masks(MaskConfig(), seed=int(rng.integers(10**6)), step=0, batch=n).hidden
    mean, left = rng.normal(size=(96, width)), rng.normal(size=(*hidden.shape, width))
    error = (1 - explained) * np.square(left).sum(axis=2).ravel()
    targets = torch.from_numpy((mean[hidden] + left).reshape(-1, width))
    window = np.repeat(np.arange(n), hidden.shape[1])
    return Predicted(n, window, hidden.ravel(), hidden.ravel(), error, error, targets)


@pytest.mark.parametrize("n", [3, 7, 30])
def test_few_windows_do_not_make_a_skill_lower(n):
    rng = np.random.default_rng(n)
    told = [Rows(predicted(n, 0.2, rng)).sums().skill for _ in range(60)]
    assert np.mean(told) == pytest.approx(0.2, abs=0.06)


def test_a_slot_that_one_window_hides_counts_for_the_loss_only():
    rng = np.random.default_rng(1)
    sums = Rows(predicted(1, 0.2, rng)).sums()
    assert sums.loss > 0
    assert not sums.compared.any()
    assert not sums.varies


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
    assert said == "the scored windows of a belong to 5 actors only: intervals are wide"
    (said,) = few_actors("they", np.zeros(40, int))
    assert said == "they belong to 1 actor only: no interval can be told"
    assert not list(few_actors("they", np.arange(40) % 10))
    assert not list(few_actors("they", np.arange(5)))


def of_actors(actors: int) -> tuple[np.ndarray, Sums]:
    """The same windows of fewer or more actors, who differ a lot."""
    by_actor = np.array([1.2, -0.9, 0.8, -0.7, 0.9, 0.9, -0.6, 0.7, -0.8, 0.0])[:actors]
    actor = np.arange(actors).repeat(200)
    constant = np.ones(len(actor))
    error = constant * (1 - 0.5 * by_actor[actor])
    return actor, Sums(error, error, constant, constant, constant)


def test_fewer_actors_never_make_an_interval_surer():
    widths = []
    for actors in (3, 9, 10):
        groups, sums = of_actors(actors)
        low, high = Bootstrap(groups).skill(sums)
        assert low < 0 < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


def test_one_or_two_actors_have_no_interval():
    groups, sums = of_actors(2)
    bootstrap = Bootstrap(groups)
    assert bootstrap.too_few
    assert bootstrap.skill(sums) is None
    assert bootstrap.rise(sums, sums) is None


@pytest.mark.parametrize("actors", [3, 9, 15])
def test_intervals_of_few_actors_hold_the_truth_about_as_often_as_they_say(actors):
    rng, tries, held = np.random.default_rng(actors), 200, 0
    for _ in range(tries):
        sizes = np.maximum(1, rng.lognormal(3, 1, actors)).astype(int)
        actor = np.arange(actors).repeat(sizes)
        constant = rng.gamma(5, 0.2, len(actor))
        error = constant * (1 - rng.normal(0, 0.3, actors)[actor])
        sums = Sums(error, error, constant, constant, constant)
        low, high = Bootstrap(actor, draws=300).skill(sums)
        held += low <= 0 <= high
    assert held / tries > 0.9


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
