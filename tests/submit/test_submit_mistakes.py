"""Mistakes show before anything is sent."""

import json
import socket
from pathlib import Path

import pytest
import yaml

from jepa_ray.cli.submit import submission
from jepa_ray.errors import UsageError

TRAIN = {"processed_dir": "/p", "storage_path": "/s", "run_id": "a"}


@pytest.fixture
def train_file(tmp_path) -> Path:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(TRAIN))
    return path


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        monkeypatch.setenv(name, "")  # so that what the command sets goes with the test


def test_a_mistake_in_the_file_needs_no_cluster(command, tmp_path):
    (tmp_path / "x.yaml").write_text("run_di: a")
    found = command("submit", "train", tmp_path / "x.yaml")
    assert found.code == 2
    assert "did you mean run_id" in found.err


def test_an_unknown_verb_is_a_users_mistake(command, train_file):
    found = command("submit", "sing", train_file)
    assert found.code == 2
    assert "allowed are" in found.err


def test_a_file_outside_the_folder_that_is_sent_is_a_mistake(command, train_file, tmp_path):
    (tmp_path / "other").mkdir()
    found = command("submit", "train", train_file, "--working-dir", tmp_path / "other")
    assert found.code == 2
    assert "is not in --working-dir" in found.err


def test_an_address_of_another_kind_says_which_one_is_wanted(command, train_file):
    found = command("submit", "train", train_file, "--address", "10.0.0.1:6379")
    assert found.code == 2
    assert "http://127.0.0.1:8265" in found.err


def test_where_nothing_answers_the_way_to_the_dashboard_is_told(command, train_file):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        found = command("submit", "train", train_file, "--address", url)
    assert found.code == 2
    assert f"nothing answers at {url}" in found.err
    assert "ray dashboard" in found.err
    assert "Traceback" not in found.err


def test_a_job_carries_run_id_verb_and_dataset(tmp_path):
    config = tmp_path / "my jobs" / "train.yaml"
    found = submission("train", config, tmp_path, TRAIN | {"dataset": ["b", "c"]})
    assert found.metadata == {"verb": "train", "run_id": "a", "dataset": "b,c"}
    assert found.entrypoint == "python -m jepa_ray.cli.job train 'my jobs/train.yaml'"
    assert found.name == "train-a"
    assert json.loads(next(iter(found.environment.values())))["Python"].startswith("3.")


@pytest.mark.parametrize(
    "checkpoint", ["s3://b/runs/first", "/r/first/", "/r/first/schedule_jepa.pt"]
)
def test_an_evaluation_bears_the_name_of_the_run_that_it_scores(tmp_path, checkpoint):
    found = submission("evaluate", tmp_path / "e.yaml", tmp_path, {"checkpoint": checkpoint})
    assert found.metadata["run_id"] == "first"
    assert found.name == "evaluate-first"


@pytest.mark.parametrize(("verb", "key"), [("verify", "run"), ("report", "folder")])
def test_a_job_about_a_run_bears_its_name(tmp_path, verb, key):
    found = submission(verb, tmp_path / "v.yaml", tmp_path, {key: "s3://b/runs/six/"})
    assert found.metadata == {"verb": verb, "run_id": "six", "dataset": ""}
    assert found.name == f"{verb}-six"


def test_only_versions_travel_in_the_environment_of_a_job(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    found = submission("train", tmp_path / "t.yaml", tmp_path, TRAIN)
    assert "canary" not in str(found)


def test_the_folder_of_the_file_is_what_is_sent_by_default(tmp_path):
    with pytest.raises(UsageError):
        submission("train", tmp_path / "t.yaml", tmp_path / "elsewhere", TRAIN)
