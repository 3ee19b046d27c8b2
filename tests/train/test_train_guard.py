"""The collapse guard: what it sees, what it says, and when it ends a training."""

import logging
from dataclasses import replace

import pytest
import torch

from jepa_ray.checkpoint import state_steps
from jepa_ray.config import ObjectiveConfig, TrainConfig
from jepa_ray.errors import TrainingError
from jepa_ray.train.data import Worker
from jepa_ray.train.keeper import Keeper
from jepa_ray.train.loop import Training
from jepa_ray.train.trainer import _told
from jepa_ray.train.validate import collapsing
from tests.train.trainings import CONFIG, corpus_folder, data_of, kept

UNTRAINED = {
    "step": 0, "val_loss": 1.04, "skill": -9.0, "slot_std": 0.3, "rankme": 20.0,
    "cosine_to_mean": 0.94,
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory):
    return data_of(corpus_folder(tmp_path_factory.mktemp("corpus")))


def test_a_healthy_row_is_no_collapse():
    assert collapsing(UNTRAINED | {"step": 9}, UNTRAINED, CONFIG) is None


def test_a_collapse_is_one_sentence_that_says_what_was_seen_and_what_to_try():
    said = collapsing(UNTRAINED | {"step": 200, "rankme": 1.2}, UNTRAINED, CONFIG)
    assert said is not None
    assert said.startswith("step 200: the embeddings collapse: the embeddings' RankMe 1.2 is under")
    assert "--preset robust, objective.regulariser=vicreg, batch_size=256" in said


def test_what_is_set_already_is_not_advised_again():
    config = TrainConfig(
        preset="robust", batch_size=512, objective=ObjectiveConfig(regulariser="sigreg", weight=2)
    )
    said = collapsing(UNTRAINED | {"rankme": 1.2}, UNTRAINED, config)
    assert "a larger objective.weight than 2 (docs" in str(said)
    assert "robust," not in str(said)
    assert "batch_size" not in str(said)


class _Collapses(Training):
    """Its embeddings all become the same after the first validation."""

    def _step(self, batch, waited):
        super()._step(batch, waited)
        with torch.no_grad():
            for encoder in (self.objective.model.context_encoder,
                            self.objective.model.target_encoder):  # fmt: skip
                encoder.norm.weight.zero_()


def collapsed(data, guard, **more):
    told = []
    config = CONFIG.model_copy(update={"guard": guard, "steps": 12})
    training = _Collapses(config, data, Worker(), report=told.append, **more)
    return training, told


def test_warn_says_it_once_and_goes_on(data):
    training, told = collapsed(data, "warn")
    rows = training.run()
    assert [row["collapsing"] for row in rows] == [False, True, True, True, True]
    assert [row["step"] for row in told if "warning" in row] == [3]


def test_off_says_nothing(data):
    training, told = collapsed(data, "off")
    assert training.run()[-1]["collapsing"]
    assert not [row for row in told if "warning" in row]


def test_stop_ends_the_training_after_its_state_was_saved(data, tmp_path):
    keeper = Keeper(str(tmp_path), keep_last=2)
    training, _ = collapsed(data, "stop", keeper=keeper, folder=str(tmp_path))
    with pytest.raises(TrainingError, match=r"collapse.*guard=stop ended .*step-00000003.pt"):
        training.run()
    keeper.close()
    assert state_steps(str(tmp_path)) == [0, 3]


def test_a_stopped_run_stops_again_unless_the_guard_is_changed(data, tmp_path):
    from jepa_ray.checkpoint import read_state, state_url

    test_stop_ends_the_training_after_its_state_was_saved(data, tmp_path)
    state = read_state(state_url(str(tmp_path), 3))
    config = CONFIG.model_copy(update={"guard": "stop", "steps": 12})
    with pytest.raises(TrainingError, match="guard=stop"):
        kept(data, tmp_path, config, state=state)
    kept(data, tmp_path, config.model_copy(update={"guard": "off"}), state=state)


def test_a_warning_of_a_worker_reaches_the_log(caplog):
    with caplog.at_level(logging.WARNING):
        _told({"step": 3, "warning": "the embeddings collapse"}, pytest.fail)
    assert caplog.messages == ["the embeddings collapse"]


def test_a_validation_without_held_out_windows_cannot_be(data):
    with pytest.raises(ValueError, match="without a batch"):
        Training(CONFIG, replace(data, held_out=[]), Worker(), report=lambda _row: None).run()
