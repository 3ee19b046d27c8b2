"""Each baseline against a direct computation, and ridge against least squares."""

import numpy as np
import pytest
import torch

from jepa_ray.evaluate.baselines import fit_baselines
from jepa_ray.evaluate.ridge import Scaler, weights
from jepa_ray.windows import SLOTS
from tests.corpus.windows import days
from tests.evaluate.made import batches_of, sample_of, tiny_pass


@pytest.fixture(scope="module")
def case():
    model, found, sample = tiny_pass(16)
    training = sample_of(days(40, seed=9))
    batches = batches_of(training)
    fitted = fit_baselines(model, batches)
    tokens = model.embed_slots(training.windows.densify()).double().numpy()
    return model, found, sample, fitted, batches, tokens


def hidden(batches):
    out = np.zeros((40, SLOTS), bool)
    np.put_along_axis(out, np.concatenate([m.hidden for _, m in batches]), values=True, axis=1)
    return out


def targets_of(found):
    return found.predicted.targets.double().numpy()


def test_the_means_are_those_of_training_windows(case):
    _, found, _, fitted, batches, tokens = case
    np.testing.assert_allclose(fitted.slot_mean, tokens.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(fitted.global_mean, tokens[hidden(batches)].mean(axis=0), atol=1e-6)
    errors = fitted.errors(found)
    left = targets_of(found) - tokens.mean(axis=0)[found.predicted.slot]
    np.testing.assert_allclose(errors["slot_mean"], (left**2).sum(axis=1), rtol=1e-4)
    left = targets_of(found) - tokens[hidden(batches)].mean(axis=0)
    np.testing.assert_allclose(errors["global_mean"], (left**2).sum(axis=1), rtol=1e-4)


def test_copying_takes_the_token_of_the_nearest_visible_slot(case):
    model, found, sample, fitted, _, _ = case
    tokens = model.embed_slots(sample.windows.densify()).double().numpy()
    rows = found.predicted
    for i in range(0, len(rows.slot), 37):
        window, slot = rows.window[i], rows.slot[i]
        mine = set(rows.slot[rows.window == window])
        seen = [s for s in range(SLOTS) if s not in mine]
        nearest = min(seen, key=lambda s: (abs(s - slot), s))
        expected = ((tokens[window, nearest] - tokens[window, slot]) ** 2).sum()
        assert fitted.errors(found)["nearest_visible"][i] == pytest.approx(expected, rel=1e-4)


def test_ridge_from_context_is_ridge_per_slot_on_the_windows_that_hide_it(case):
    model, found, _, fitted, batches, tokens = case
    seen = []
    for x, masks in batches:
        visible = torch.from_numpy(masks.visible)
        with torch.inference_mode():
            context = model.context_encoder(x, visible).double().mean(dim=1)
        raw = np.stack([x[i, masks.visible[i], 2:].mean(dim=0) for i in range(len(x))])
        seen.append(np.concatenate([context.numpy(), raw], axis=1))
    seen = np.concatenate(seen)
    std = seen.std(axis=0)
    z = np.where(std > 0, (seen - seen.mean(axis=0)) / np.where(std > 0, std, 1), 0)
    slot, hides = 50, hidden(batches)[:, 50]
    y = tokens[hides, slot] - tokens[:, slot].mean(axis=0)
    count = z.shape[1]
    padded = np.concatenate([z[hides], count**0.5 * np.eye(count)])
    expected, *_ = np.linalg.lstsq(padded, np.concatenate([y, np.zeros((count, 16))]))
    np.testing.assert_allclose(fitted.ridge[slot], expected, atol=1e-4)
    assert fitted.errors(found)["ridge_context"].shape == found.predicted.error.shape


def test_a_feature_that_does_not_vary_counts_for_nothing():
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert Scaler.of(x).scaled(x).tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_without_a_row_all_weights_are_zero():
    assert not weights(np.zeros((0, 3)), np.zeros((0, 2)), penalty=1.0).any()
