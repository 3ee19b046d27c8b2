"""Collapse at four levels, the spectrum, the referee and the effective sample."""

import numpy as np
import pytest
import torch

from jepa_ray.evaluate.levels import (
    by_actor,
    levels,
    participation_ratio,
    positional_share,
    spectrum,
)
from jepa_ray.evaluate.passes import run
from jepa_ray.evaluate.referee import Target, readout_loss, referee_targets
from jepa_ray.evaluate.tables import counted
from tests.corpus.windows import days
from tests.evaluate.made import batches_of, sample_of, tiny, tiny_pass

NOBODY = np.zeros(24, np.uint64)


def test_a_network_that_knows_the_slot_only_is_positional():
    model = tiny()
    with torch.no_grad():
        model.target_encoder.embed.weight.zero_()
    found = run(model, batches_of(sample_of(days(24))))
    _, fresh, _ = tiny_pass()
    assert positional_share(found) == pytest.approx(1.0)
    assert 0 < positional_share(fresh) < 1
    told = levels(found, fresh, NOBODY)
    assert told["dimension"]["dead"] == 16
    assert told["slot"]["std"] == pytest.approx(0, abs=1e-6)
    assert told["actor"] is None


def test_the_share_is_the_variance_of_the_slots_means_over_all_variance():
    model, found, sample = tiny_pass()
    tokens = model.embed_slots(sample.windows.densify()).double().numpy()
    expected = tokens.mean(axis=0).var(axis=0).sum() / tokens.reshape(-1, 16).var(axis=0).sum()
    assert positional_share(found) == pytest.approx(expected, rel=1e-5)


def test_an_untrained_network_has_no_dead_dimension():
    _, found, _ = tiny_pass()
    told = levels(found, found, NOBODY)
    assert told["dimension"]["dead"] == 0
    assert len(told["dimension"]["std"]) == 16
    assert told["global"]["rankme"] == found.monitors.rankme


def test_the_participation_ratio_counts_equal_directions():
    x = np.concatenate([np.eye(8), -np.eye(8)])
    x[:, 5:] = 0
    assert participation_ratio(x) == pytest.approx(5)
    assert participation_ratio(np.ones((4, 3))) == 1


def test_the_spectrum_is_relative_to_its_largest():
    x = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert spectrum(x) == pytest.approx([1, 1 / 3, 0])
    assert spectrum(np.ones((4, 3))) == [0, 0, 0]


def test_the_variance_between_and_within_actors_adds_up():
    rng = np.random.default_rng(0)
    x, actor = rng.normal(size=(30, 4)), np.array([1, 2, 3] * 10, np.uint64)
    x[actor == 2] += 5
    told = by_actor(x, actor)
    assert told["between"] + told["within"] == pytest.approx(x.var(axis=0).sum())
    assert told["ratio"] > 0.5
    assert told["actors"] == 3
    assert told["chance"] == pytest.approx(2 / 29)


def test_actors_of_one_window_and_nobody_do_not_count():
    x = np.random.default_rng(0).normal(size=(7, 2))
    actor = np.array([0, 0, 1, 1, 2, 2, 3], np.uint64)
    alone = by_actor(x[2:6], actor[2:6])
    assert by_actor(x, actor) == pytest.approx(alone)
    assert by_actor(x[:4], actor[:4]) is None


def test_the_referee_reads_out_what_is_linear_and_nothing_else():
    rng = np.random.default_rng(0)
    x, left = rng.normal(size=(300, 5)), rng.normal(size=(200, 5))
    w = rng.normal(size=(5, 3))
    assert readout_loss(x, left, Target(x @ w + 1, left @ w + 1)) < 1e-5
    noise = Target(rng.normal(size=(300, 3)), rng.normal(size=(200, 3)))
    assert readout_loss(x, left, noise) == pytest.approx(1, abs=0.1)
    same = Target(x @ w, left @ w)
    assert readout_loss(np.ones((300, 5)), np.ones((200, 5)), same) == pytest.approx(1, abs=0.05)


def test_the_referee_says_nothing_where_nothing_varies():
    alike = Target(np.ones((10, 2)), np.ones((5, 2)))
    assert readout_loss(np.eye(10), np.eye(10)[:5], alike) is None


@pytest.mark.parametrize("n", [20, 90])
def test_the_principal_coordinates_are_those_of_a_singular_value_decomposition(n):
    training, held_out = sample_of(days(n, seed=1)), sample_of(days(10, seed=2))
    found = referee_targets(training, held_out)["pca64"]
    raw, left = (s.windows.densify()[:, :, 2:].reshape(len(s), -1) for s in (training, held_out))
    raw, left = raw.astype(float), left.astype(float)
    _, _, axes = np.linalg.svd(raw - raw.mean(axis=0), full_matrices=False)
    count = found.training.shape[1]
    expected = np.abs((left - raw.mean(axis=0)) @ axes[:count].T)
    assert count == min(64, np.linalg.matrix_rank(raw - raw.mean(axis=0)))
    np.testing.assert_allclose(np.abs(found.held_out)[:, ::-1][:, :8], expected[:, :8], atol=1e-6)


def test_copies_are_worth_little():
    windows = days(4).take(np.array([0, 0, 0, 0, 1, 2]))
    assert len(np.unique(windows.fingerprints())) == 3
    assert counted(sample_of(windows)) == {"windows": 6, "distinct": 3, "effective": 36 / 18}
