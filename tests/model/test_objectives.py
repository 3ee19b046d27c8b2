import pytest
import torch
from torch.nn import functional as F

from jepa_ray.config import ModelConfig, TrainConfig
from jepa_ray.model import ScheduleJEPA, build_objective, draw_masks, parameter_groups
from jepa_ray.model.layers import take_slots
from jepa_ray.windows import INDEX
from tests.model.made import block_windows, uniform_windows

SMALL = ModelConfig(d_model=16, heads=2, mlp=16, layers=1)


def made(seed=1, **objective):
    model = ScheduleJEPA(SMALL, seed=0)
    return build_objective(model, TrainConfig(model=SMALL, objective=objective), seed=seed)


def batch(windows=8, step=0):
    masks = draw_masks(TrainConfig().mask, seed=0, step=step, batch=windows)
    return block_windows(windows), *masks.tensors()


def test_the_reference_is_the_models_own_loss():
    objective, (x, visible, hidden) = made(), batch()
    found = objective(x, visible, hidden, 0)
    expected = objective.model.loss(objective.model(x, visible, hidden))
    assert torch.equal(found.loss, expected)
    assert list(found.parts) == ["prediction"]
    assert torch.equal(found.parts["prediction"], expected)
    assert not found.parts["prediction"].requires_grad


def test_the_reference_adds_no_weights():
    objective = made()
    assert all(name.startswith("model.") for name in objective.state_dict())


def test_a_large_batch_is_the_mean_of_its_windows_and_so_is_its_gradient():
    objective, (x, visible, hidden) = made().double(), batch(150)
    found = objective(x.double(), visible, hidden, 0).loss
    found.backward()
    grads = {n: p.grad.clone() for n, p in objective.named_parameters() if p.grad is not None}
    objective.zero_grad()
    expected = objective.model.loss(objective.model(x.double(), visible, hidden))
    expected.backward()
    torch.testing.assert_close(found, expected)
    for name, parameter in objective.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(grads[name], parameter.grad)


@pytest.mark.parametrize("name", ["vicreg", "sigreg", "visreg"])
def test_a_regulariser_is_added_by_its_weight(name):
    objective = made(regulariser=name, weight=0.25)
    found = objective(*batch(), 0)
    expected = found.parts["prediction"] + 0.25 * found.parts["regulariser"]
    assert found.loss.detach() == pytest.approx(float(expected))
    assert found.loss.dtype == torch.float32


@pytest.mark.parametrize("kind", ["jepa", "mae", "supervised"])
def test_what_is_trained_gets_a_gradient_and_nothing_else(kind):
    objective = made(kind=kind, regulariser="vicreg")
    objective(*batch(), 0).loss.backward()
    for name, parameter in objective.named_parameters():
        is_target = name.startswith("model.target_encoder.")
        assert (parameter.grad is None) is is_target, name


def test_mae_reconstructs_the_stored_features_of_the_hidden_slots():
    objective, (x, visible, hidden) = made(kind="mae"), batch()
    expected = objective.readout(objective.model.predict(x, visible, hidden))
    loss = objective(x, visible, hidden, 0).loss
    torch.testing.assert_close(loss, F.mse_loss(expected, take_slots(x, hidden)[..., 2:]))


def test_supervised_tells_which_activities_are_on():
    objective, (x, visible, hidden) = made(kind="supervised"), batch()
    with torch.no_grad():  # sure that tasks are always on, and nothing else is
        objective.readout.weight.zero_()
        objective.readout.bias.copy_(torch.tensor([-50.0, 50.0, -50.0, -50.0, -50.0]))
    x[:, :, 2:] = 0
    x[:, :, INDEX["task"]] = 0.2
    assert float(objective(x, visible, hidden, 0).loss.detach()) == pytest.approx(0, abs=1e-6)
    x[:, :, INDEX["task"]] = 0
    assert float(objective(x, visible, hidden, 0).loss.detach()) == pytest.approx(10)


@pytest.mark.parametrize("kind", ["mae", "supervised"])
def test_arms_without_a_target_do_not_run_it(kind):
    objective, calls = made(kind=kind), []
    objective.model.target_encoder.register_forward_hook(lambda *_: calls.append(1))
    objective(*batch(), 0)
    assert not calls


@pytest.mark.parametrize(
    ("objective", "copied"),
    [
        ({}, False),
        ({"target": "online"}, True),
        ({"kind": "mae"}, True),
        ({"kind": "supervised"}, True),
    ],
)
def test_the_target_follows_or_is_a_copy(objective, copied):
    made_one = made(**objective)
    with torch.no_grad():
        for parameter in made_one.model.context_encoder.parameters():
            parameter.add_(1)
    made_one.update_target(0.99)
    context = made_one.model.context_encoder.state_dict()
    for name, value in made_one.model.target_encoder.state_dict().items():
        assert torch.equal(value, context[name]) is copied
        torch.testing.assert_close(
            context[name] - value, torch.full_like(value, 0 if copied else 0.99)
        )


def test_weights_are_a_function_of_the_seed_and_leave_the_global_rng_alone():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = made(seed=5, kind="mae", regulariser="sigreg").state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    second = made(seed=5, kind="mae", regulariser="sigreg").state_dict()
    other = made(seed=6, kind="mae", regulariser="sigreg").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["readout.weight"], other["readout.weight"])


def test_groups_of_the_reference_decay_all_in_one():
    objective = made()
    (group,) = parameter_groups(objective, weight_decay=0.1, decay_all=True)
    assert group["weight_decay"] == 0.1
    expected = [p for p in objective.parameters() if p.requires_grad]
    assert [id(p) for p in group["params"]] == [id(p) for p in expected]


def test_biases_norms_positions_and_mask_tokens_can_be_spared():
    objective = made(regulariser="vicreg")
    decayed, spared = parameter_groups(objective, weight_decay=0.1, decay_all=False)
    names = {id(p): name for name, p in objective.named_parameters()}
    kept = {names[id(p)] for p in spared["params"]}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert all(names[id(p)].endswith("weight") for p in decayed["params"])
    assert "model.predictor.mask_token" in kept
    assert "model.context_encoder.positions" in kept
    assert "model.context_encoder.norm.weight" in kept
    assert "model.context_encoder.blocks.0.qkv.bias" in kept
    assert "collapse.by_slot.norm.weight" in kept
    learned = sum(p.requires_grad for p in objective.parameters())
    assert len(decayed["params"]) + len(spared["params"]) == learned


def test_the_objective_lies_where_its_model_does():
    model = ScheduleJEPA(SMALL, seed=0).double()
    config = TrainConfig(model=SMALL, objective={"kind": "mae", "regulariser": "vicreg"})
    objective = build_objective(model, config, seed=0)
    assert {p.dtype for p in objective.parameters()} == {torch.float64}
    found = objective(uniform_windows(8).double(), *batch()[1:], 0)
    assert found.loss.dtype == torch.float64
