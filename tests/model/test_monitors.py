import math

import numpy as np
import pytest
import torch

from jepa_ray.config import MaskConfig
from jepa_ray.model import EmbeddingMeter, Monitors, SkillMeter, draw_masks, linear_cka
from jepa_ray.windows import SLOTS


def hidden_slots(batch, step=0):
    return draw_masks(MaskConfig(), seed=0, step=step, batch=batch).tensors()[1]


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def per_slot_mean(targets, hidden):
    """The slow way: a loop over slots."""
    prediction = torch.zeros_like(targets, dtype=torch.float64)
    for slot in range(SLOTS):
        at = hidden == slot
        if at.any():
            prediction[at] = targets[at].double().mean(0)
    return prediction


def test_the_best_constant_has_no_skill_and_the_truth_has_all():
    hidden, targets = hidden_slots(50), 3 + noise(50, 38, 8)
    constant, perfect = SkillMeter(), SkillMeter()
    constant.update(per_slot_mean(targets, hidden), targets, hidden)
    perfect.update(targets, targets, hidden)
    assert constant.skill == pytest.approx(0, abs=1e-12)
    assert (perfect.skill, perfect.loss) == (1.0, 0.0)


def test_skill_of_batches_is_skill_of_the_whole():
    hidden, targets, predictions = hidden_slots(50), noise(50, 38, 8), noise(50, 38, 8, seed=1)
    whole, parts = SkillMeter(), SkillMeter()
    whole.update(predictions, targets, hidden)
    for rows in (slice(0, 1), slice(1, 20), slice(20, 50)):
        parts.update(predictions[rows], targets[rows], hidden[rows])
    constant = (per_slot_mean(targets, hidden) - targets).square().sum()
    expected = 1 - float((predictions.double() - targets).square().sum() / constant)
    assert whole.skill == pytest.approx(expected, rel=1e-9)
    assert parts.skill == pytest.approx(expected, rel=1e-9)
    assert parts.loss == pytest.approx(float((predictions - targets).square().mean()), rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
def test_constant_targets_leave_nothing_to_explain(value):
    meter = SkillMeter()
    for step in range(3):
        targets = torch.full((7, 38, 8), value)
        meter.update(targets + 0.01, targets, hidden_slots(7, step))
    assert meter.skill == 0.0


def test_targets_that_depend_on_the_slot_only_leave_nothing_to_explain():
    hidden, by_slot = hidden_slots(40), noise(SLOTS, 8)
    meter = SkillMeter()
    meter.update(by_slot[hidden], by_slot[hidden], hidden)
    assert meter.skill == 0.0


def test_a_large_offset_does_not_drown_a_small_variance():
    hidden, targets = hidden_slots(50), 1e4 + noise(50, 38, 4).double()
    meter = SkillMeter()
    for rows in (slice(0, 25), slice(25, 50)):
        meter.update(per_slot_mean(targets, hidden)[rows], targets[rows], hidden[rows])
    assert meter.skill == pytest.approx(0, abs=1e-9)


def test_embedding_monitors_equal_numpy():
    tokens = noise(60, SLOTS, 6) + noise(60, 1, 6, seed=1) + 2
    meter = EmbeddingMeter()
    meter.update(tokens[:1])
    meter.update(tokens[1:45])
    meter.update(tokens[45:])
    z = tokens.double().numpy()
    pooled = z.mean(1)
    mean = pooled.mean(0)
    s = np.linalg.svd(pooled - mean, compute_uv=False)
    p = s / s.sum()
    cosines = pooled @ mean / np.linalg.norm(pooled, axis=1) / np.linalg.norm(mean)
    assert meter.slot_std == pytest.approx(z.std(0).mean(), rel=1e-9)
    assert meter.rankme == pytest.approx(math.exp(-(p * np.log(p)).sum()), rel=1e-9)
    assert meter.cosine_to_mean == pytest.approx(cosines.mean(), rel=1e-9)
    np.testing.assert_allclose(meter.pooled.numpy(), pooled)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e4])
@pytest.mark.parametrize("count", [1, 30])
def test_constant_embeddings_have_collapsed(value, count):
    meter = EmbeddingMeter()
    for _ in range(3):
        meter.update(torch.full((count, SLOTS, 8), value))
    assert meter.slot_std == pytest.approx(0, abs=1e-9)
    assert meter.cosine_to_mean == pytest.approx(1.0)
    assert meter.rankme == 1.0


def test_positional_collapse_shows_in_the_slot_std():
    meter = EmbeddingMeter()
    meter.update(noise(1, SLOTS, 8).expand(20, -1, -1))
    assert meter.slot_std == pytest.approx(0, abs=1e-9)
    assert meter.rankme == 1.0


def test_rounding_is_no_rank():
    meter = EmbeddingMeter()
    meter.update(1 + 1e-8 * noise(40, SLOTS, 8).double())
    assert meter.rankme == 1.0


def test_one_window_is_enough_for_finite_numbers():
    meter = EmbeddingMeter()
    meter.update(noise(1, SLOTS, 8))
    assert (meter.slot_std, meter.rankme) == (0.0, 1.0)
    assert meter.cosine_to_mean == pytest.approx(1.0)


def test_embeddings_that_cancel_out_have_no_common_direction():
    z = noise(1, SLOTS, 8)
    meter = EmbeddingMeter()
    meter.update(torch.cat([z, -z]))
    assert meter.cosine_to_mean == pytest.approx(0, abs=1e-9)


def test_pooled_rows_are_bounded_and_the_first_ones():
    tokens = noise(30, SLOTS, 8)
    meter = EmbeddingMeter(max_rows=12)
    for rows in (slice(0, 8), slice(8, 16), slice(16, 30)):
        meter.update(tokens[rows])
    torch.testing.assert_close(meter.pooled, tokens[:12].double().mean(1))


def test_an_empty_meter_refuses():
    for name in ("loss", "skill"):
        with pytest.raises(ValueError, match="without a batch"):
            getattr(SkillMeter(), name)
    for name in ("slot_std", "rankme", "cosine_to_mean", "pooled"):
        with pytest.raises(ValueError, match="without a batch"):
            getattr(EmbeddingMeter(), name)


def test_monitors_as_dict():
    monitors = Monitors(loss=1.0, skill=0.5, slot_std=0.2, rankme=3.0, cosine_to_mean=0.9)
    assert list(monitors.as_dict()) == ["loss", "skill", "slot_std", "rankme", "cosine_to_mean"]


def test_cka_ignores_rotation_scale_and_shift_and_sees_a_difference():
    a, b = noise(200, 6), noise(200, 4, seed=1)
    rotation = torch.linalg.qr(noise(6, 6, seed=2))[0]
    assert linear_cka(a, 1e-5 * (a @ rotation) + 7e-5) == pytest.approx(1, abs=1e-4)
    assert linear_cka(a, b) == pytest.approx(linear_cka(b, a))
    assert linear_cka(a, b) < 0.2


def test_cka_of_a_constant_is_zero():
    a = noise(20, 6)
    assert linear_cka(a, torch.ones(20, 6)) == 0.0
    assert linear_cka(a[:1], a[:1]) == 0.0
    with pytest.raises(ValueError, match="found 20 and 19"):
        linear_cka(a, a[1:])
