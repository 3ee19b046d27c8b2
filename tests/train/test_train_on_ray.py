"""Ray Train: one worker and two, through the command line, then evaluate."""

import json

import numpy as np
import pytest

import jepa_ray
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import prepare
from jepa_ray.synth import synthesize

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


@pytest.fixture(scope="module")
def processed(tmp_path_factory, ray_session):
    root = tmp_path_factory.mktemp("corpus")
    for dataset in ("gharchive", "public_jira"):
        synthesize(dataset, root / "raw", seed=1, records=400)
    prepare(
        ["gharchive", "public_jira"],
        data_root=root / "raw",
        processed_dir=str(root / "p"),
        reports_dir=str(root / "r"),
        run_id="a",
        config=PrepareConfig(),
    )
    return root / "p"


def train(command, processed, storage, run_id, *more):
    return command(
        "train", "--processed-dir", processed, "--dataset", "combined", "--split-seed", 7,
        "--steps", 6, "--storage-path", storage, "--run-id", run_id,
        "--set", "batch_size=8", "--set", "val_batches=2", "--set", "val_every=3", "--json", *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def test_a_training_leaves_a_checkpoint_that_loads_and_evaluates(command, processed, storage):
    found = train(command, processed, storage, "one")
    assert found.code == 0, found.err
    result = found.json
    assert set(result) == {
        "checkpoint", "steps", "train_loss", "val_loss", "skill", "rankme", "slot_std",
        "cosine_to_mean", "seconds", "device", "workers",
    }  # fmt: skip
    assert (result["steps"], result["device"], result["workers"]) == (6, "cpu", 1)
    lines = (storage / "one" / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == [0, 3, 6]
    assert 1.0 < rows[0]["val_loss"] < 1.1
    model = jepa_ray.load(result["checkpoint"])
    assert model.embed(np.zeros((2, 96, 16), np.float32)).shape == (2, 64)

    scored = command(
        "evaluate", storage / "one", "--processed-dir", processed, "--batches", 3, "--json"
    )
    assert scored.code == 0, scored.err
    assert {"checkpoint", "trained", "untrained", "reduction", "datasets", "verdict"} <= set(
        scored.json
    )
    assert set(scored.json["datasets"]) == {"gharchive", "public_jira"}


def test_two_workers_train_what_one_trains(command, processed, storage):
    one = train(command, processed, storage, "single").json
    two = train(command, processed, storage, "double", "--set", "workers=2").json
    assert two["workers"] == 2
    assert two["val_loss"] == pytest.approx(one["val_loss"], abs=1e-5)


def test_a_run_id_that_is_taken_is_refused(command, processed, storage):
    (storage / "taken").mkdir()
    (storage / "taken" / "schedule_jepa.pt").write_bytes(b"x")
    found = train(command, processed, storage, "taken")
    assert found.code == 2
    assert "choose another --run-id" in found.err
    assert (storage / "taken" / "schedule_jepa.pt").read_bytes() == b"x"


def test_more_workers_than_cpus_is_a_clear_mistake(command, processed, storage):
    found = train(command, processed, storage, "many", "--set", "workers=8")
    assert found.code == 2
    assert "do not fit" in found.err


def test_a_workers_own_error_reaches_the_user(command, processed, storage):
    found = train(command, processed, storage, "nan", "--set", "lr=1e30", "--set", "steps=30")
    assert found.code == 1
    assert "not finite" in found.err
    assert "Traceback" not in found.err
