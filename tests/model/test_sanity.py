"""Trainings that must learn, must not, and must not collapse."""

import pytest
import torch

from jepa_ray.config import MaskConfig, ModelConfig, TrainConfig
from jepa_ray.model import (
    ScheduleJEPA,
    build_objective,
    draw_masks,
    ema_decay,
    learning_rate,
    measure,
    parameter_groups,
)
from tests.model.made import block_windows, single_slot_windows, uniform_windows

SMALL = ModelConfig(d_model=32, heads=2, mlp=64, layers=1)


def trained(x, *, steps, **objective):
    """A small model after some steps of 64 windows."""
    config = TrainConfig(steps=steps, batch_size=64, lr=2e-3, model=SMALL, objective=objective)
    model = ScheduleJEPA(SMALL, seed=0)
    made = build_objective(model, config, seed=1)
    groups = parameter_groups(made, weight_decay=config.weight_decay, decay_all=config.decay_all)
    optimizer = torch.optim.AdamW(groups, lr=learning_rate(0, config), fused=True)
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        rows = torch.randperm(len(x), generator=generator)[:64]
        masks = draw_masks(config.mask, seed=0, step=step, batch=64)
        loss = made(x[rows], *masks.tensors(), step).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        made.update_target(ema_decay(step, config))
    return model


def monitors(model, x):
    batches = [
        (part, draw_masks(MaskConfig(), seed=9, step=i, batch=len(part)))
        for i, part in enumerate(x.split(64))
    ]
    return measure(model, batches, device="cpu").monitors


def shuffled(x):
    """What stands in the slots of each window, in another order; positions stay."""
    generator = torch.Generator().manual_seed(2)
    out = x.clone()
    for window in out:
        window[:, 2:] = window[torch.randperm(96, generator=generator), 2:]
    return out


@pytest.fixture(scope="module")
def of_blocks():
    torch.set_num_threads(1)
    return trained(block_windows(512), steps=110, regulariser="visreg")


def test_learns_windows_that_follow_from_what_is_seen(of_blocks):
    assert monitors(of_blocks, block_windows(576)[512:]).skill > 0.1


def test_loses_skill_where_slots_are_shuffled(of_blocks):
    held_out = block_windows(576)[512:]
    learned = monitors(of_blocks, held_out).skill
    assert monitors(of_blocks, shuffled(held_out)).skill < learned - 0.03


@pytest.mark.parametrize("regulariser", ["none", "visreg"])
def test_has_no_skill_on_white_noise(regulariser):
    x = uniform_windows(320)
    model = trained(x[:256], steps=80, regulariser=regulariser)
    assert monitors(model, x[256:]).skill < 0.02


@pytest.mark.slow
def test_a_regulariser_keeps_alive_what_the_reference_lets_collapse():
    x = single_slot_windows(320)
    untrained = monitors(ScheduleJEPA(SMALL, seed=0), x[256:])
    reference = monitors(trained(x[:256], steps=100), x[256:])
    kept = monitors(trained(x[:256], steps=100, regulariser="visreg"), x[256:])
    assert reference.slot_std < 0.6 * untrained.slot_std
    assert kept.slot_std > 2 * untrained.slot_std
    assert kept.rankme > max(3, 0.5 * untrained.rankme)
    assert kept.cosine_to_mean < reference.cosine_to_mean
