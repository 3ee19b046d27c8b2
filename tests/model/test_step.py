"""One whole training step against the plain one, in float64."""

import pytest
import torch

from jepa_ray.config import ModelConfig, TrainConfig
from jepa_ray.model import ScheduleJEPA, build_objective, draw_masks, parameter_groups
from tests.model import plain
from tests.model.made import uniform_windows

LOSSES = [1.0422817468643188, 0.9987706542015076, 0.9493823051452637]
"""Of the first version; equal to the last bit on the machine that made them."""

EXACT = {"rtol": 0, "atol": 1e-9}


def moved(config):
    """A model whose target is not its context, and whose norms and biases matter."""
    model = ScheduleJEPA(config, seed=3).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
            parameter.add_(noise * 0.05)
    return model


@pytest.mark.parametrize("predictor_layers", [1, 2])
def test_outputs_equal_the_plain_model(predictor_layers, masks):
    config = ModelConfig(predictor_layers=predictor_layers)
    model = moved(config)
    weights = plain.weights_of(model)
    x, (visible, hidden) = uniform_windows(8).double(), masks.tensors()
    output = model(x, visible, hidden)
    for i in range(8):
        expected = plain.predict(weights, config, x[i], visible[i], hidden[i])
        torch.testing.assert_close(output.predictions[i], expected, **EXACT)
        targets = plain.target(weights, config, x[i], hidden[i])
        torch.testing.assert_close(output.targets[i], targets, **EXACT)


@pytest.mark.parametrize("predictor_layers", [1, 2])
def test_every_gradient_equals_the_plain_models(predictor_layers, masks):
    config = ModelConfig(predictor_layers=predictor_layers)
    model = moved(config)
    weights = plain.weights_of(model)
    x, (visible, hidden) = uniform_windows(8).double(), masks.tensors()
    build_objective(model, TrainConfig(), seed=0)(x, visible, hidden, 0).loss.backward()
    plain.loss(weights, config, x, visible, hidden).backward()
    learned = dict(model.named_parameters())
    for name, weight in weights.items():
        assert (learned[name].grad is None) is (weight.grad is None)
        if weight.grad is not None:
            torch.testing.assert_close(learned[name].grad, weight.grad, msg=name, **EXACT)


def test_three_training_steps_equal_the_plain_ones(masks):
    config = TrainConfig(lr=1e-3, weight_decay=0.01)
    model = moved(config.model)
    training = plain.Training(plain.weights_of(model), lr=1e-3, weight_decay=0.01, ema=0.99)
    objective = build_objective(model, config, seed=0)
    groups = parameter_groups(objective, weight_decay=0.01, decay_all=True)
    optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=True)
    x, (visible, hidden) = uniform_windows(8).double(), masks.tensors()
    for step in range(3):
        found = objective(x, visible, hidden, step).loss
        expected = plain.loss(training.w, config.model, x, visible, hidden)
        torch.testing.assert_close(found, expected, **EXACT)
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        objective.update_target(0.99)
        expected.backward()
        training.step({n: v.grad for n, v in training.w.items() if v.grad is not None})
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, training.w[name].detach(), msg=name, **EXACT)


def test_the_loss_of_the_reference_never_changes():
    config = TrainConfig()
    model = ScheduleJEPA(config.model, seed=5)
    objective = build_objective(model, config, seed=0)
    optimizer = torch.optim.AdamW(objective.model.parameters(), lr=1e-3, fused=True)
    losses = []
    for step in range(3):
        visible, hidden = draw_masks(config.mask, seed=1, step=step, batch=32).tensors()
        loss = objective(uniform_windows(32), visible, hidden, step).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        objective.update_target(0.99)
        losses.append(float(loss.detach()))
    assert losses == pytest.approx(LOSSES, rel=1e-6)
