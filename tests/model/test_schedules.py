import pytest

from jepa_ray.config import TrainConfig
from jepa_ray.model import ema_decay, learning_rate


def rates(**schedule):
    config = TrainConfig(steps=100, lr=2.0, schedule=schedule)
    return [learning_rate(step, config) for step in range(101)]


def test_the_reference_changes_nothing():
    assert set(rates()) == {2.0}
    config = TrainConfig()
    assert {ema_decay(step, config) for step in range(1000)} == {0.99}


def test_warm_up_rises_linearly_from_above_zero_to_lr():
    found = rates(warmup=0.05)
    assert found[:6] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0, 2.0])
    assert found[-1] == 2.0


def test_a_cosine_falls_from_lr_after_warm_up_to_its_end():
    found = rates(warmup=0.2, decay="cosine", end_lr=0.1)
    assert found[19] == found[20] == 2.0
    assert found[60] == pytest.approx(0.2 + 1.8 / 2)
    assert found[100] == pytest.approx(0.2)
    assert found[20:] == sorted(found[20:], reverse=True)


def test_a_cosine_without_an_end_falls_to_nothing():
    assert rates(decay="cosine")[100] == pytest.approx(0)


def test_a_step_beyond_the_last_one_has_the_last_rate():
    config = TrainConfig(steps=10, schedule={"decay": "cosine", "end_lr": 0.5})
    assert learning_rate(50, config) == pytest.approx(config.lr / 2)


def test_one_step_of_warm_up_only_still_learns():
    config = TrainConfig(steps=1, schedule={"warmup": 0.9})
    assert learning_rate(0, config) == config.lr


def test_ema_moves_to_its_end_by_a_cosine():
    config = TrainConfig(steps=100, ema=0.9, schedule={"end_ema": 1.0})
    found = [ema_decay(step, config) for step in range(101)]
    assert found[0] == 0.9
    assert found[50] == pytest.approx(0.95)
    assert found[100] == pytest.approx(1.0)
    assert found == sorted(found)
