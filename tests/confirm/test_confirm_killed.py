"""Runs in processes of their own: the driver killed on the way, and a machine of two CPUs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.confirm.runs import corpus, flags
from tests.confirm.without_ray import numbers, numbers_without_ray

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]
LONG = {
    "train__steps": 500, "train__val_every": 250, "train__checkpoint.every": 100,
    "train__mixing": "sequential",
}  # fmt: skip


_ON_TWO_CPUS = """
import contextlib, sys
from jepa_ray.cli import main
from jepa_ray.cluster import session
with session(num_cpus=2), contextlib.redirect_stdout(sys.__stdout__):
    sys.argv = ["jepa-ray", *sys.argv[1:]]
    main()
"""


def start(processed: str, storage: Path) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    return subprocess.Popen(
        [sys.executable, "-m", "jepa_ray", "confirm", "--processed-dir", processed,
         "--storage-path", storage, "--run-id", "a", "--seeds", "1,2", "--json", *flags(**LONG)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def test_passes_of_two_workers_end_on_two_cpus(tmp_path):
    """A trial that took any of the two would leave its own workers waiting for ever."""
    found = subprocess.run(
        [sys.executable, "-c", _ON_TWO_CPUS, "confirm", "--processed-dir", corpus(tmp_path),
         "--storage-path", tmp_path / "runs", "--run-id", "a", "--seeds", "1,2", "--json",
         *flags(train__workers=2)],
        capture_output=True, text=True, check=False, timeout=500,
        env={k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "2 passes of 3 trainings, 1 at once" in found.stderr
    assert [each["workers"] for each in json.loads(found.stdout)["passes"]] == [2, 2]


def finish(process: subprocess.Popen[str]) -> tuple[dict, str]:
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    return json.loads(out), err


def kill_once_there(process: subprocess.Popen[str], run: Path, pattern: str) -> None:
    """End a driver without notice when a file has appeared."""
    for _ in range(2400):
        if any(run.glob(pattern)):
            break
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def test_a_driver_that_is_killed_twice_changes_nothing(tmp_path):
    processed = corpus(tmp_path)
    run = tmp_path / "killed" / "a"
    kill_once_there(start(processed, run.parent), run, "pass0*/*/states/step-00000200.pt")
    assert not list(run.glob("pass0*/combined/schedule_jepa.pt"))
    kill_once_there(start(processed, run.parent), run, "pass0*/combined/states/step-00000300.pt")
    whole = {path: path.stat().st_mtime_ns for path in run.glob("pass0*/*/schedule_jepa.pt")}
    assert whole
    found, _ = finish(start(processed, run.parent))
    assert numbers(found) == numbers_without_ray(processed, tmp_path / "calm", **LONG)
    assert {path: path.stat().st_mtime_ns for path in whole} == whole
    again, err = finish(start(processed, run.parent))
    assert again == found
    assert "starting Ray" not in err
