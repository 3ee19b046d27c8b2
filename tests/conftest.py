"""What all tests share: one Ray session, the real samples, the command line."""

import os

os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_REPO = Path(__file__).resolve().parent.parent


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `gpu` is skipped where there is none."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The data root of real samples; the test is skipped where there is none."""
    root = Path(os.environ.get("JEPA_RAY_REAL_DATA", _REPO.parent / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no real samples at {root}; JEPA_RAY_REAL_DATA names another place")
    return root


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray for the whole run, with a temporary folder of its own."""
    import ray

    with tempfile.TemporaryDirectory(prefix="jr", dir="/tmp") as folder:
        ray.init(
            num_cpus=4,
            include_dashboard=False,
            object_store_memory=300 << 20,
            log_to_driver=False,
            logging_level=logging.WARNING,
            _temp_dir=folder,
        )
        yield
        ray.shutdown()


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs `jepa-ray ARGS` in this process, through its entry point."""

    def run(*args: object) -> Outcome:
        from jepa_ray.cli import main

        monkeypatch.setattr(sys, "argv", ["jepa-ray", *map(str, args)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        found = capfd.readouterr()
        return Outcome(int(stop.value.code or 0), found.out, found.err)

    return run
