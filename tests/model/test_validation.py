import pytest
import torch

from jepa_ray.config import MaskConfig
from jepa_ray.model import draw_masks, linear_cka, measure
from tests.model.made import single_slot_windows


def batches_of(x, size):
    for step, start in enumerate(range(0, len(x), size)):
        part = x[start : start + size]
        yield part, draw_masks(MaskConfig(), seed=0, step=step, batch=len(part))


def test_measures_the_loss_and_the_spread_of_the_whole(model):
    x = single_slot_windows(40)
    measured = measure(model, batches_of(x, 16), device="cpu", keep_pooled=True)
    squares = []
    for part, masks in batches_of(x, 16):
        with torch.no_grad():
            output = model(part, *masks.tensors())
        squares.append((output.predictions - output.targets).square().flatten())
    assert measured.monitors.loss == pytest.approx(float(torch.cat(squares).mean()), rel=1e-5)
    assert measured.monitors.skill < 0
    assert measured.monitors.slot_std > 0
    assert measured.monitors.rankme > 1
    assert measured.monitors.cosine_to_mean < 1
    torch.testing.assert_close(measured.pooled.float(), model.embed(x))
    assert linear_cka(measured.pooled, model.embed(x)) == pytest.approx(1)


def test_runs_the_target_encoder_once_per_batch(model):
    calls = []
    model.target_encoder.register_forward_hook(lambda *_: calls.append(1))
    measure(model, batches_of(single_slot_windows(40), 16), device="cpu")
    assert len(calls) == 3


@pytest.mark.parametrize("training", [True, False])
def test_restores_the_training_flag_even_after_an_error(model, training):
    model.train(training)
    assert measure(model, batches_of(single_slot_windows(4), 4), device="cpu").pooled is None
    assert model.training is training
    with pytest.raises(ValueError, match="without a batch"):
        measure(model, [], device="cpu")
    assert model.training is training


def test_what_it_returns_may_be_computed_with(model):
    measured = measure(model, batches_of(single_slot_windows(4), 4), device="cpu", keep_pooled=True)
    weight = torch.ones(64, dtype=torch.float64, requires_grad=True)
    (measured.pooled @ weight).sum().backward()
    assert weight.grad is not None
