import copy

import numpy as np
import pytest
import torch

from jepa_ray.config import MaskConfig, ModelConfig
from jepa_ray.errors import UsageError
from jepa_ray.model import ScheduleJEPA, draw_masks
from jepa_ray.model.layers import take_slots
from tests.model.made import (
    block_windows,
    empty_windows,
    single_slot_windows,
    uniform_windows,
)


def test_shapes_of_the_reference(model, masks):
    visible, hidden = masks.tensors()
    output = model(uniform_windows(8), visible, hidden)
    assert output.predictions.shape == output.targets.shape == (8, 38, 64)
    assert model.context_encoder(uniform_windows(8), visible).shape == (8, 58, 64)
    assert model.target_tokens(uniform_windows(8)).shape == (8, 96, 64)
    assert model.loss(output).shape == ()


def test_checkpoint_keys_are_the_three_submodules(model):
    assert {key.split(".")[0] for key in model.state_dict()} == {
        "context_encoder",
        "target_encoder",
        "predictor",
    }


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(d_model=16, heads=2, mlp=24, layers=1),
        ModelConfig(d_model=32, heads=1, mlp=8, layers=3, predictor_layers=2),
    ],
)
def test_other_widths_and_depths_fit(config):
    visible, hidden = draw_masks(MaskConfig(ratio=0.25), seed=0, step=0, batch=3).tensors()
    output = ScheduleJEPA(config, seed=0)(uniform_windows(3), visible, hidden)
    assert output.predictions.shape == (3, 24, config.d_model)


def test_tokens_of_some_slots_are_those_of_all(model, masks):
    x, (_, hidden) = uniform_windows(8), masks.tensors()
    some, every = model.target_tokens(x, hidden), model.target_tokens(x)
    torch.testing.assert_close(some, take_slots(every, hidden))


def test_what_stands_in_a_hidden_slot_reaches_no_prediction(model, masks):
    visible, hidden = masks.tensors()
    x = uniform_windows(8)
    other = x.scatter(1, hidden.unsqueeze(-1).expand(-1, -1, 16), 1e6)
    assert not torch.equal(x, other)
    assert torch.equal(model.context_encoder(x, visible), model.context_encoder(other, visible))
    assert torch.equal(model.predict(x, visible, hidden), model.predict(other, visible, hidden))


def test_the_order_of_the_visible_slots_does_not_matter(model, masks):
    visible, hidden = masks.tensors()
    x = uniform_windows(8)
    torch.testing.assert_close(
        model.predict(x, visible.flip(1), hidden), model.predict(x, visible, hidden)
    )


def test_only_context_encoder_and_predictor_get_gradients(model, masks):
    output = model(uniform_windows(8), *masks.tensors())
    assert not output.targets.requires_grad
    model.loss(output).backward()
    for name, parameter in model.named_parameters():
        is_target = name.startswith("target_encoder.")
        assert parameter.requires_grad is not is_target
        assert (parameter.grad is None) is is_target, name


def test_loss_is_the_mean_square_in_float32(model, masks):
    output = model.bfloat16()(uniform_windows(8).bfloat16(), *masks.tensors())
    expected = (output.predictions.double() - output.targets.double()).square().mean()
    loss = model.loss(output).detach()
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_target_starts_as_the_context_and_follows_it(model):
    before = copy.deepcopy(model.target_encoder.state_dict())
    for name, value in model.context_encoder.state_dict().items():
        assert torch.equal(value, before[name])
    with torch.no_grad():
        for parameter in model.context_encoder.parameters():
            parameter.add_(torch.randn_like(parameter))
    model.update_target(0.99)
    after = model.target_encoder.state_dict()
    for name, value in model.context_encoder.state_dict().items():
        torch.testing.assert_close(after[name], 0.99 * before[name] + 0.01 * value)
        assert not torch.equal(after[name], before[name])


@pytest.mark.parametrize("windows", [uniform_windows, empty_windows, single_slot_windows])
@pytest.mark.parametrize("seed", range(5))
def test_an_untrained_model_scores_a_little_above_one(windows, seed):
    model = ScheduleJEPA(ModelConfig(), seed=seed)
    visible, hidden = draw_masks(MaskConfig(), seed=seed, step=0, batch=32).tensors()
    with torch.no_grad():
        loss = float(model.loss(model(windows(32), visible, hidden)))
    assert 1.02 < loss < 1.07


def test_initialisation_is_a_function_of_the_seed_and_leaves_the_global_rng_alone():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = ScheduleJEPA(ModelConfig(), seed=5).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    second = ScheduleJEPA(ModelConfig(), seed=5).state_dict()
    other = ScheduleJEPA(ModelConfig(), seed=6).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["predictor.positions"], other["predictor.positions"])
    assert all(value.isfinite().all() for value in first.values())


def test_overfits_64_windows():
    model = ScheduleJEPA(ModelConfig(), seed=0)
    x = block_windows(64)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=3e-3)
    losses = []
    for step in range(45):
        visible, hidden = draw_masks(MaskConfig(), seed=0, step=step, batch=64).tensors()
        loss = model.loss(model(x, visible, hidden))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        model.update_target(0.99)
        losses.append(loss.item())
    assert losses[0] > 1.0
    assert losses[-1] < 0.25 * losses[0]


def test_embedding_is_the_mean_of_the_target_tokens(model):
    x = uniform_windows(5)
    with torch.no_grad():
        tokens = model.target_encoder(x)
    assert torch.equal(model.embed_slots(x), tokens)
    assert torch.equal(model.embed(x), tokens.mean(1))
    assert model.embed(x).dtype == torch.float32
    assert not model.embed(x).requires_grad


def test_embeds_numpy_as_torch_even_what_is_read_only(model):
    array = uniform_windows(3).numpy().copy()
    array.flags.writeable = False
    expected = model.embed(torch.from_numpy(array.copy()))
    assert torch.equal(model.embed(array), expected)
    assert torch.equal(model.embed(array[::-1]), expected.flip(0))
    assert torch.equal(model.embed(array.astype(np.float64)), expected)


@pytest.mark.parametrize("count", [0, 1, 512, 513])
def test_embeds_any_number_of_windows(count):
    model = ScheduleJEPA(ModelConfig(d_model=8, heads=1, mlp=8, layers=1), seed=0)
    x = uniform_windows(count)
    embedded = model.embed(x)
    assert embedded.shape == (count, 8)
    if count:
        torch.testing.assert_close(embedded[-1:], model.embed(x[-1:]))


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        (torch.zeros(96, 16), r"found \[96, 16\]"),
        (np.zeros((2, 16, 96), np.float32), r"found \[2, 16, 96\]"),
        (np.array([["a"]]), "must be numbers"),
        (torch.full((1, 96, 16), torch.nan), "window 0 holds a NaN"),
    ],
)
def test_embed_says_what_is_wrong_with_its_input(model, windows, message):
    with pytest.raises(UsageError, match=message):
        model.embed(windows)


def test_embed_names_the_window_that_is_not_finite():
    model = ScheduleJEPA(ModelConfig(d_model=8, heads=1, mlp=8, layers=1), seed=0)
    x = empty_windows(600)
    x[530, 4, 3] = torch.inf
    with pytest.raises(UsageError, match="window 530"):
        model.embed(x)
