import pytest
import torch

from jepa_ray.config import MaskConfig, ObjectiveConfig
from jepa_ray.model import draw_masks
from jepa_ray.model.collapse_term import BatchNorm, CollapseTerm, Projector, tokens_at

VICREG = ObjectiveConfig(regulariser="vicreg")


def term(config=VICREG, width=64):
    torch.manual_seed(0)
    return CollapseTerm(width, config, seed=3)


def visible_slots(windows):
    return draw_masks(MaskConfig(), seed=0, step=0, batch=windows).tensors()[0]


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_batch_norm_standardises_over_windows_and_groups_and_equals_torch():
    x = 3 + 2 * noise(20, 4, 6)
    found = BatchNorm(6)(x, torch.ones(20, 4))
    expected = torch.nn.BatchNorm1d(6)(x.flatten(0, 1)).view_as(x)
    torch.testing.assert_close(found, expected)


def test_batch_norm_does_not_look_at_what_does_not_count():
    x, weights = noise(20, 4, 6), torch.ones(20, 4)
    weights[:, 2] = 0
    other = x.clone()
    other[:, 2] = 1e4
    counted = weights.bool()
    torch.testing.assert_close(
        BatchNorm(6)(x, weights)[counted], BatchNorm(6)(other, weights)[counted]
    )


def test_tokens_are_found_at_their_slots():
    visible = torch.tensor([[0, 2, 5], [1, 2, 3]])
    context = torch.arange(6.0).view(2, 3, 1)
    tokens, seen = tokens_at(context, visible, [2, 5])
    assert seen.tolist() == [[1, 1], [1, 0]]
    assert tokens[0, :, 0].tolist() == [1, 2]
    assert tokens[1, 0, 0] == 4


def test_slots_are_distinct_and_change_with_the_step():
    chosen = [term().slots(step) for step in range(200)]
    assert all(len(set(slots)) == 8 for slots in chosen)
    assert len({tuple(slots) for slots in chosen}) == 200
    assert chosen[0] == term().slots(0)
    assert {slot for slots in chosen for slot in slots} == set(range(96))


def test_tokens_that_depend_on_the_slot_only_count_as_collapsed():
    visible = visible_slots(64)
    by_slot = noise(96, 64)[visible]
    config = ObjectiveConfig(regulariser="vicreg", pooled=False)
    collapsed = float(term(config)(by_slot, visible, 0).detach())
    alive = float(term(config)(noise(64, 58, 64), visible, 0).detach())
    assert collapsed == pytest.approx(0.99, abs=0.01)
    assert alive != pytest.approx(0.99, abs=0.1)


def test_windows_that_are_alike_count_as_collapsed():
    visible = visible_slots(64)
    same = noise(1, 1, 64).expand(64, 58, 64)
    assert float(term()(same, visible, 0).detach()) == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize("name", ["vicreg", "sigreg", "visreg"])
def test_it_is_the_mean_of_slots_and_pooled(name):
    visible, context = visible_slots(32), noise(32, 58, 64)
    config = ObjectiveConfig(regulariser=name)
    both = term(config)
    value = float(both(context, visible, 4).detach())
    slots, pooled = term(config), term(config)
    slots.load_state_dict(both.state_dict())
    pooled.load_state_dict(both.state_dict())
    slots.by_window = pooled.by_slot = None
    parts = [float(part(context, visible, 4).detach()) for part in (slots, pooled)]
    assert value == pytest.approx(sum(parts) / 2, rel=1e-5)


@pytest.mark.parametrize("name", ["sigreg", "visreg"])
def test_directions_change_with_the_step_and_repeat_with_it(name):
    visible, context = visible_slots(32), noise(32, 58, 64)
    one = term(ObjectiveConfig(regulariser=name, slots=0, directions=4))
    values = [float(one(context, visible, step).detach()) for step in (0, 1, 0)]
    assert values[0] == values[2] != values[1]


def test_it_is_float32_under_autocast():
    visible, context = visible_slots(32), noise(32, 58, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = term()(context.bfloat16(), visible, 0)
    assert found.dtype == torch.float32


def test_a_projector_has_its_own_widths():
    config = ObjectiveConfig(projector_hidden=24, projector_out=10)
    assert Projector(16, config)(noise(5, 2, 16), torch.ones(5, 2)).shape == (5, 2, 10)
