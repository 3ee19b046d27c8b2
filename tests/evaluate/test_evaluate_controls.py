"""The negative controls on made cases: an honest network, one that cheats, one that is deaf."""

import numpy as np
import pytest
import torch

from jepa_ray.evaluate.controls import constant, controls, noise, shuffled, strangers
from jepa_ray.windows import concat
from tests.corpus.windows import days, moments
from tests.evaluate.made import Deaf, Mixed, Plain, sample_of, scene, whole_days


@pytest.fixture(scope="module")
def windows():
    return torch.from_numpy(days(6).densify())


@pytest.mark.parametrize("change", [noise, shuffled, constant])
def test_a_change_keeps_shape_range_and_positions_and_repeats_with_its_seed(windows, change):
    one, two = (change(windows, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == windows.shape
    assert torch.equal(one[:, :, :2], windows[:, :, :2])
    assert one.min() >= 0
    assert one.max() <= 1


def test_shuffling_moves_whole_slots_of_each_window_in_its_own_order():
    x = torch.from_numpy(moments(40).densify())
    moved = shuffled(x, np.random.default_rng(1))
    for before, after in zip(x[:, :, 2:], moved[:, :, 2:], strict=True):
        assert sorted(map(tuple, before.tolist())) == sorted(map(tuple, after.tolist()))
    assert len({int(row[:, 2].argmax()) for row in moved}) > 5


def test_a_constant_day_has_the_mean_in_every_slot(windows):
    day = constant(windows, np.random.default_rng(1))[:, :, 2:]
    torch.testing.assert_close(day, windows[:, :, 2:].mean(dim=1, keepdim=True).expand_as(day))


def test_a_stranger_is_of_the_same_dataset_and_differs():
    sample = sample_of(concat([days(20), days(20)]))  # each window twice
    sample.dataset[30:] = 1
    other, content = strangers(sample), sample.windows.fingerprints()
    assert (sample.dataset[other] == sample.dataset).all()
    strange = other != np.arange(40)
    assert strange.sum() > 20
    assert (content[other] != content)[strange].all()


def test_windows_that_are_all_alike_have_no_stranger():
    sample = sample_of(whole_days(1).take(np.zeros(5, int)))
    assert strangers(sample).tolist() == [0, 1, 2, 3, 4]


def test_a_network_that_reads_its_context_passes():
    found = controls(scene(Plain(), whole_days(48)))
    assert found["white_noise"].passed
    assert found["white_noise"].value < 0
    assert found["wrong_window"].passed
    assert found["wrong_window"].value > 1
    assert found["constant_day"].passed
    assert found["constant_day"].value > 0.9


def test_days_without_change_cannot_tell_what_shuffling_does():
    found = controls(scene(Plain(), whole_days(48)))["shuffled_slots"]
    assert found.passed is None
    assert found.interval is None
    assert found.sentence.startswith("cannot tell: no window changes")
    assert found.document()["interval"] is found.document()["value"] is None


def test_a_network_whose_targets_give_the_context_away_finds_skill_in_noise():
    found = controls(scene(Mixed(), whole_days(48)))["white_noise"]
    assert found.passed is False
    assert found.value > 0


def test_a_deaf_network_fails_with_the_context_of_another_window():
    found = controls(scene(Deaf(), whole_days(48)))["wrong_window"]
    assert found.passed is False
    assert found.value == 0
    assert "does as well" in found.sentence


def test_windows_that_are_all_alike_cannot_tell_the_wrong_window():
    alike = whole_days(1).take(np.zeros(16, int))
    found = controls(scene(Plain(), alike))
    assert found["wrong_window"].passed is None
    assert found["constant_day"].passed is None


def test_a_network_that_knows_a_morning_from_an_evening_loses_skill_when_slots_change_places():
    busy = whole_days(48).densify()
    busy[:, 48:, 2:] = 0  # what was in the morning is over at noon
    from jepa_ray.windows import sparsify

    class HalfDays(Plain):
        def predictor(self, context, visible, hidden):
            early = (visible < 48).float()[:, :, None]
            mean = (context * early).sum(dim=1, keepdim=True) / early.sum(dim=1, keepdim=True)
            return mean * (hidden < 48)[:, :, None] + 0.01

    found = controls(scene(HalfDays(), sparsify(busy)))["shuffled_slots"]
    assert found.passed
    assert found.value > 0.5
