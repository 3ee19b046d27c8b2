"""What a training leaves in its folder: states, the best model, the result, metrics, events."""

import json
import os
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tensorboardX.proto.event_pb2 import Event

from jepa_ray.checkpoint import load_checkpoint, state_steps
from jepa_ray.config import CheckpointConfig, ObjectiveConfig, TrainConfig, load_config
from jepa_ray.errors import TrainingError
from jepa_ray.train.data import Worker
from jepa_ray.train.events import Events
from jepa_ray.train.keeper import Keeper
from jepa_ray.train.loop import Training
from tests.train.trainings import CONFIG, bits, corpus_folder, data_of, kept


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory):
    return data_of(corpus_folder(tmp_path_factory.mktemp("corpus")))


def with_checkpoints(**settings) -> TrainConfig:
    return CONFIG.model_copy(update={"checkpoint": CheckpointConfig(**settings)})


def test_a_run_leaves_these_files_and_no_other(data, tmp_path):
    kept(data, tmp_path)
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {
        "config.yaml", "metrics.jsonl", "model.safetensors", "provenance.json", "schedule_jepa.pt",
        "states/step-00000006.pt", "states/step-00000007.pt",
        "tensorboard/events.out.tfevents.0.jepa_ray",
    }  # fmt: skip


def test_the_result_is_the_trained_model_in_both_formats(data, tmp_path):
    training = kept(data, tmp_path)
    model = training.objective.model
    assert bits(load_checkpoint(tmp_path).model) == bits(model)
    weights = load_file(tmp_path / "model.safetensors")
    assert weights.keys() == model.state_dict().keys()
    assert all(torch.equal(weights[k], v) for k, v in model.state_dict().items())


def test_the_settings_of_a_run_are_a_config_file(data, tmp_path):
    kept(data, tmp_path)
    assert load_config(TrainConfig, file=tmp_path / "config.yaml") == CONFIG
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["steps"] == 7


def test_the_provenance_stands_beside_the_checkpoint_and_in_it(data, tmp_path):
    kept(data, tmp_path, provenance={"datasets": {"a": "b"}})
    assert json.loads((tmp_path / "provenance.json").read_text()) == {"datasets": {"a": "b"}}
    assert load_checkpoint(tmp_path).provenance == {"datasets": {"a": "b"}}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [6, 7]),
        ({"keep_last": 3}, [3, 6, 7]),
        ({"every": 2, "keep_last": 2}, [6, 7]),
        ({"every": 2, "keep_last": 9}, [0, 2, 4, 6, 7]),
    ],
)
def test_the_last_states_are_kept(data, tmp_path, settings, expected):
    kept(data, tmp_path, with_checkpoints(**settings))
    assert state_steps(str(tmp_path)) == expected


@pytest.mark.parametrize("name", ["activity", "skill", "rankme"])
def test_the_best_model_is_that_of_the_validation_where_the_probe_was_highest(data, tmp_path, name):
    config = with_checkpoints(keep_best=name).model_copy(update={"val_every": 1})
    kept(data, tmp_path, config)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    best = max(rows, key=lambda row: row[name])
    assert load_checkpoint(tmp_path / "best").step == best["step"]


def test_the_events_show_every_row_once(data, tmp_path):
    kept(data, tmp_path)
    (file,) = (tmp_path / "tensorboard").iterdir()
    shown = [
        (event.step, value.simple_value)
        for event in _events(file.read_bytes())
        for value in event.summary.value
        if value.tag == "val_loss"
    ]
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert shown == [(row["step"], pytest.approx(row["val_loss"])) for row in rows]


def test_the_events_of_a_resumed_run_keep_their_distances():
    rows = [{"step": step, "val_loss": 1.0, "seconds": 100.0 * step} for step in range(4)]
    first, *shown = _events(Events().add(rows))
    assert first.file_version == "brain.Event:2"
    assert [event.wall_time - first.wall_time for event in shown] == [0, 100, 200, 300]
    assert shown[-1].wall_time == pytest.approx(time.time(), abs=60)


def test_what_a_killed_write_left_is_gone_at_the_next_run(tmp_path):
    left = [tmp_path / part / ".tmp-killed" for part in ("", "states", "best", "tensorboard")]
    rays = tmp_path / "ray" / ".tmp-of-ray"
    for file in (*left, rays):
        file.parent.mkdir(exist_ok=True)
        file.write_text("half")
    Keeper(str(tmp_path), keep_last=2).close()
    assert not any(file.exists() for file in left)
    assert rays.exists()


def _events(data: bytes):
    while data:
        size = int.from_bytes(data[:8], "little")
        yield Event.FromString(data[12 : 12 + size])
        data = data[12 + size + 4 :]


def test_a_state_that_cannot_be_saved_ends_the_training_with_its_name(data, tmp_path):
    (tmp_path / "states").write_text("in the way")
    with pytest.raises(TrainingError, match=r"saving the state .*step-00000000.pt failed: .*again"):
        kept(data, tmp_path)
    assert not (tmp_path / "schedule_jepa.pt").exists()


def test_a_disk_that_fills_up_later_ends_the_training_before_its_end(data, tmp_path):
    seen = []

    def report(row):
        seen.append(row["step"])
        if row["step"] == 3 and not (tmp_path / "gone").exists():
            (tmp_path / "states").rename(tmp_path / "gone")
            (tmp_path / "states").write_text("in the way")

    config = CONFIG.model_copy(update={"steps": 300})
    with pytest.raises(TrainingError, match="saving the state"):
        kept(data, tmp_path, config, report=report)
    assert max(seen) < 300
    assert not (tmp_path / "schedule_jepa.pt").exists()


def test_what_is_damaged_is_told_with_the_last_good_state(data, tmp_path):
    config = CONFIG.model_copy(update={"lr": 1e30, "steps": 40})
    with pytest.raises(TrainingError) as caught:
        kept(data, tmp_path, config)
    (named,) = [word for word in str(caught.value).split() if "step-" in word]
    assert load_checkpoint(named.rstrip(";"))


def test_weights_that_are_not_finite_are_never_saved(data, tmp_path):
    def report(row):
        if row["step"] == 3 and "val_loss" in row:
            with torch.no_grad():
                training.objective.model.predictor.head.bias.fill_(float("nan"))

    keeper = Keeper(str(tmp_path), keep_last=9)
    training = Training(
        CONFIG, data, Worker(), report=report, keeper=keeper, folder=str(tmp_path)
    )  # fmt: skip
    said = r"step 3: the weight predictor.head.bias is not finite; the last good state .*; windows:"
    with pytest.raises(TrainingError, match=said):
        training.run()
    keeper.close()
    assert state_steps(str(tmp_path)) == [0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda engine: engine.objective.collapse.by_window.up.weight,
         r"the weight objective\.collapse\.by_window\.up\.weight"),
        (lambda engine: engine.optimizer.state[engine._trained[0]]["exp_avg"],
         r"the moment optimizer\.state\.0\.exp_avg"),
    ],
)  # fmt: skip
def test_a_state_is_saved_only_where_all_that_a_step_changes_is_finite(
    data, tmp_path, damage, said
):
    def report(row):
        if row["step"] == 3 and "val_loss" in row:
            with torch.no_grad():
                damage(training._engine).view(-1)[0] = float("nan")

    objective = ObjectiveConfig(regulariser="vicreg", pooled=True)
    keeper = Keeper(str(tmp_path), keep_last=9)
    training = Training(
        CONFIG.model_copy(update={"objective": objective}), data, Worker(), report=report,
        keeper=keeper, folder=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(TrainingError, match=rf"^step 3: {said} is not finite; .*; windows: 0x"):
        training.run()
    keeper.close()
    assert state_steps(str(tmp_path)) == [0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(data, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(TrainingError, match=str(tmp_path)):
        kept(data, Path(tmp_path))
