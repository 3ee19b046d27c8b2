"""Training on a cluster of three raylets that loses one, a worker, or its driver."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jepa_ray.checkpoint import load_checkpoint
from jepa_ray.config import TrainConfig, load_config
from tests.prepared_corpus import JIRA
from tests.train.trainings import bits, corpus_folder, data_of, kept

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]
SETTINGS = {
    "seed": 3, "steps": 2000, "batch_size": 8, "val_every": 500, "val_batches": 2,
    "checkpoint.every": 100, "model.d_model": 16, "model.layers": 1, "model.heads": 2,
    "model.mlp": 16, "guard": "off",
}  # fmt: skip


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> str:
    return corpus_folder(tmp_path_factory.mktemp("corpus"), records=300)


def config() -> TrainConfig:
    return load_config(TrainConfig, overrides=[f"{k}={v}" for k, v in SETTINGS.items()])


@pytest.fixture(scope="module")
def calm(processed, tmp_path_factory) -> Path:
    """The undisturbed training, without Ray."""
    folder = tmp_path_factory.mktemp("calm")
    kept(data_of(processed, config()), folder, config())
    return folder


def start(processed: str, out: Path, address: str, **more: object) -> subprocess.Popen[str]:
    settings = [f"--set={k}={v}" for k, v in (SETTINGS | more).items()]
    return subprocess.Popen(
        [sys.executable, "-m", "jepa_ray", "train", "--processed-dir", processed, "--dataset",
         JIRA, "--storage-path", out, "--run-id", "a", "--json", *settings],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"RAY_ADDRESS": address},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[dict, str]:
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, out + err
    return json.loads(out), err


def wait_for_state(out: Path, step: int) -> None:
    """Until the training is in full swing."""
    for _ in range(2400):
        if any(int(p.stem[5:]) >= step for p in out.glob("a/states/step-*.pt")):
            return
        time.sleep(0.05)
    raise TimeoutError("no state appears")


def rows(folder: Path) -> list[dict]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if "seconds" not in k} for line in lines]


def require_the_same(ours: Path, theirs: Path) -> None:
    assert bits(load_checkpoint(ours).model) == bits(load_checkpoint(theirs).model)
    assert rows(ours) == rows(theirs)


def test_a_worker_that_is_killed_changes_nothing(processed, calm, tmp_path, raylets):
    process = start(processed, tmp_path, raylets.address)
    wait_for_state(tmp_path, 300)
    (worker,) = raylets.train_workers()
    worker.kill()
    result, _ = finish(process)
    assert result["steps"] == SETTINGS["steps"]
    require_the_same(tmp_path / "a", calm)


def test_a_driver_that_is_killed_goes_on_from_the_last_state(processed, calm, tmp_path, raylets):
    process = start(processed, tmp_path, raylets.address)
    wait_for_state(tmp_path, 300)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert not (tmp_path / "a" / "schedule_jepa.pt").exists()
    result, err = finish(start(processed, tmp_path, raylets.address))
    assert re.search(rf"resuming the training of {JIRA} at step \d+00 of 2000", err)
    assert result["steps"] == SETTINGS["steps"]
    require_the_same(tmp_path / "a", calm)
    again = start(processed, tmp_path, raylets.address)
    assert "already holds a checkpoint" in again.communicate(timeout=60)[1]
    assert again.returncode == 2


def test_a_raylet_that_is_killed_does_not_end_two_workers(processed, calm, tmp_path, raylets):
    process = start(processed, tmp_path, raylets.address, workers=2, threads=1, steps=1000)
    wait_for_state(tmp_path, 300)
    raylets.kill_node_of_a_worker()
    result, _ = finish(process)
    assert (result["steps"], result["workers"]) == (1000, 2)
    found = [row["val_loss"] for row in rows(tmp_path / "a")]
    assert found == pytest.approx([row["val_loss"] for row in rows(calm)[:3]], rel=1e-3)


def test_an_elastic_training_goes_on_with_the_workers_that_are_left(
    processed, calm, tmp_path, raylets
):
    few = {"workers": 2, "min_workers": 1, "threads": 2, "steps": 500, "checkpoint.every": 20}
    process = start(processed, tmp_path, raylets.address, **few)
    wait_for_state(tmp_path, 40)
    raylets.kill_node_of_a_worker()
    result, _ = finish(process)
    assert (result["steps"], result["workers"]) == (500, 1)
    assert result["val_loss"] == pytest.approx(rows(calm)[1]["val_loss"], rel=1e-2)


def test_the_gauges_of_a_training_reach_prometheus(processed, tmp_path, raylets):
    process = start(processed, tmp_path, raylets.address)
    seen: set[str] = set()
    while process.poll() is None:  # gauges go with the worker
        gauge = r'^ray_(jepa_ray_\w+)\{.*run_id="a".*\} \S+$'
        seen |= set(re.findall(gauge, raylets.metrics(), re.MULTILINE))
        time.sleep(0.2)
    finish(process)
    assert seen == {
        f"jepa_ray_{name}"
        for name in (
            "step", "steps_planned", "loss", "val_loss", "skill", "rankme", "slot_std",
            "step_seconds", "data_wait_seconds",
        )
    }  # fmt: skip
