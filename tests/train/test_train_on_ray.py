"""Ray Train: one worker and two, through the command line, then evaluate."""

import json
import logging

import numpy as np
import pytest

import jepa_ray
from jepa_ray.checkpoint import load_checkpoint
from jepa_ray.config import PrepareConfig, TrainConfig
from jepa_ray.errors import ConfigError, TrainingError
from jepa_ray.prepare import prepare
from jepa_ray.synth import synthesize
from jepa_ray.train import Job, train_many

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


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_model(
    command, processed, storage, caplog
):
    """Takes the run of the test before: its result and its last state are taken away."""
    folder = storage / "one"
    if not folder.exists():
        assert train(command, processed, storage, "one").code == 0
    before = jepa_ray.load(folder).state_dict()
    (folder / "schedule_jepa.pt").unlink()
    (folder / "states" / "step-00000006.pt").unlink()
    refused = train(command, processed, storage, "one", "--set", "lr=0.5")
    assert refused.code == 2
    assert "lr was 0.001, is 0.5" in refused.err
    again = train(command, processed, storage, "one")
    assert again.code == 0, again.err
    assert "resuming the training of gharchive, public_jira at step 3 of 6" in caplog.text
    after = jepa_ray.load(folder).state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 3


def test_two_workers_train_what_one_trains(command, processed, storage):
    one = train(command, processed, storage, "single").json
    two = train(command, processed, storage, "double", "--set", "workers=2").json
    assert two["workers"] == 2
    assert two["val_loss"] == pytest.approx(one["val_loss"], abs=1e-5)


def test_a_sequential_training_goes_through_the_datasets_as_they_are_named(
    command, processed, storage
):
    found = train(
        command, processed, storage, "legs", "--dataset", "public_jira,gharchive",
        "--set", "mixing=sequential",
    )  # fmt: skip
    assert found.code == 0, found.err
    legs = json.loads((storage / "legs" / "legs.json").read_text())["legs"]
    assert [(leg["dataset"], leg["step"]) for leg in legs] == [
        (None, 0), ("public_jira", 3), ("gharchive", 6)
    ]  # fmt: skip
    about = load_checkpoint(storage / "legs").provenance
    assert about["order"] == ["public_jira", "gharchive"]


def test_a_run_id_that_is_taken_is_refused(command, processed, storage):
    (storage / "taken").mkdir()
    (storage / "taken" / "schedule_jepa.pt").write_bytes(b"x")
    found = train(command, processed, storage, "taken")
    assert found.code == 2
    assert "choose another --run-id" in found.err
    assert (storage / "taken" / "schedule_jepa.pt").read_bytes() == b"x"


def test_the_folder_of_a_confirmation_run_is_no_place_for_a_training(command, processed, storage):
    (storage / "passes").mkdir()
    (storage / "passes" / "confirm.yaml").write_text("seeds: [1]\n")
    found = train(command, processed, storage, "passes")
    assert found.code == 2
    assert "holds a confirmation run: choose another --run-id" in found.err
    assert [path.name for path in (storage / "passes").iterdir()] == ["confirm.yaml"]


def test_more_workers_than_cpus_is_a_clear_mistake(command, processed, storage):
    found = train(command, processed, storage, "many", "--set", "workers=8")
    assert found.code == 2
    assert "do not fit" in found.err


def test_a_workers_own_error_reaches_the_user(command, processed, storage):
    found = train(command, processed, storage, "nan", "--set", "lr=1e30", "--set", "steps=30")
    assert found.code == 1
    assert "not finite" in found.err
    assert "0x" in found.err
    assert "Traceback" not in found.err


def test_the_preset_is_a_flag(command, processed, storage):
    found = train(command, processed, storage, "preset", "--preset", "reverence")
    assert found.code == 2
    assert "preset: Input should be 'reference' or 'robust'" in found.err


def test_one_fit_trains_several_models_and_skips_those_that_are_finished(
    processed, storage, caplog
):
    config = TrainConfig(steps=6, batch_size=8, val_every=3, val_batches=2)
    names = [("gharchive",), ("public_jira",), ("gharchive", "public_jira")]
    jobs = [Job(str(processed), n, config, str(storage / "many" / "-".join(n))) for n in names]
    train_many(jobs[1:2], storage_path=str(storage / "many"))
    kept = (storage / "many" / "public_jira" / "schedule_jepa.pt").read_bytes()
    with caplog.at_level(logging.DEBUG, "jepa_ray"):
        results = train_many(jobs, storage_path=str(storage / "many"))
    assert [result.steps for result in results] == [6, 6, 6]
    assert (storage / "many" / "public_jira" / "schedule_jepa.pt").read_bytes() == kept
    began = {r.args[0]: r.args[1] for r in caplog.records if "started in" in r.msg}
    assert set(began) == {jobs[0].folder, jobs[2].folder}
    assert began[jobs[2].folder] < 0.5


def test_trainings_of_one_fit_share_where_it_runs(processed, storage):
    jobs = [
        Job(str(processed), ("gharchive",), TrainConfig(workers=n), str(storage / f"w{n}"))
        for n in (1, 2)
    ]
    with pytest.raises(ConfigError, match=r"one fit share workers, found \['1', '2'\]"):
        train_many(jobs, storage_path=str(storage))


@pytest.mark.slow
def test_one_damaged_training_of_a_fit_ends_it_and_the_others_are_whole(processed, storage):
    good = TrainConfig(steps=2, batch_size=8, val_batches=2)
    bad = good.model_copy(update={"lr": 1e30, "steps": 30})
    jobs = [
        Job(str(processed), ("gharchive",), config, str(storage / "damaged" / name))
        for name, config in (("good", good), ("bad", bad))
    ]
    with pytest.raises(TrainingError, match="is not finite"):
        train_many(jobs, storage_path=str(storage / "damaged"))
    assert [job.finished for job in jobs] == [True, False]


def test_a_smoke_test_says_what_it_found_and_leaves_nothing(command, processed, tmp_path):
    found = command(
        "smoke", "--processed-dir", processed, "--storage-path", tmp_path, "--json",
        "--set", "batch_size=8",
    )  # fmt: skip
    assert found.code == 0, found.err
    result = found.json
    assert (result["device"], result["backend"], result["steps"]) == ("cpu", "gloo", 20)
    assert result["steps_per_second"] > 0
    assert "worth nothing" in result["note"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_guard_ends_a_run_with_exit_code_1_and_says_what_to_try(command, processed, storage):
    found = train(
        command, processed, storage, "collapses", "--set", "guard=stop", "--set", "val_every=50",
        "--steps", 150, "--set", "batch_size=32",
    )  # fmt: skip
    assert found.code == 1, found.err
    assert "the embeddings collapse" in found.err
    assert "--preset robust" in found.err
    assert not (storage / "collapses" / "schedule_jepa.pt").exists()
