"""A handful of steps through the whole path: windows, feed, Ray Train, device, a saved result.

It goes through Ray Train, since that is the path a training takes. The model is thrown away.
"""

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jepa_ray.checkpoint import load_checkpoint
from jepa_ray.config import TrainConfig
from jepa_ray.config.legs import SEQUENTIAL
from jepa_ray.corpus import choose
from jepa_ray.storage import join, local_path, resolve
from jepa_ray.train.jobs import Job
from jepa_ray.train.trainer import train_many

WORTHLESS = "The path works; the model of so few steps is worth nothing and was removed."


@dataclass(frozen=True)
class SmokeResult:
    """What a smoke test found; the fields are the keys of `smoke --json`.

    `seconds` is all of it, Ray's start-up included; `loss` is that of the last step.
    """

    datasets: list[str]
    windows: int
    device: str
    backend: str
    workers: int
    precision: str
    load_mode: str
    steps: int
    steps_per_second: float
    data_wait_seconds: float
    loss: float
    seconds: float
    note: str = WORTHLESS


def run_smoke(
    *,
    processed_dir: str,
    dataset: str,
    config: TrainConfig,
    storage_path: str | None = None,
    progress: Callable[[dict[str, Any]], None] = lambda _row: None,
) -> SmokeResult:
    """Train a few steps and remove what they leave.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        dataset: `combined`, or names separated by commas; with sequential mixing in their order.
        config: With the few steps.
        storage_path: Where a folder may lie meanwhile; None: in the temporary folder of this
            machine. A cluster of several nodes needs one that all of them share.
        progress: As for `train`.

    Raises:
        CorpusError, ConfigError, TrainingError: As for `train`.
    """
    began = time.monotonic()
    root = storage_path or tempfile.gettempdir()
    folder = join(root, f"jepa-ray-smoke-{uuid.uuid4().hex[:8]}")
    names = choose(processed_dir, dataset, in_order=config.mixing == SEQUENTIAL)
    job = Job(processed_dir, tuple(names), config, folder)
    rows: list[dict[str, Any]] = []

    def told(row: dict[str, Any]) -> None:
        rows.append(row)
        progress(row)

    try:
        (found,) = train_many([job], storage_path=folder, progress=told)
        about = load_checkpoint(found.checkpoint).provenance
    finally:
        _remove(job.folder)
    steps = [row for row in rows if row.get("step_seconds")]
    return SmokeResult(
        datasets=list(job.names),
        windows=about["train_windows"] + about["val_windows"],
        device=about["device"],
        backend=about["backend"],
        workers=about["workers"],
        precision=about["precision"],
        load_mode=about["load_mode"],
        steps=found.steps,
        steps_per_second=round(1 / steps[-1]["step_seconds"], 3),
        data_wait_seconds=steps[-1]["data_wait_seconds"],
        loss=next(row["loss"] for row in reversed(rows) if "loss" in row),
        seconds=round(time.monotonic() - began, 3),
    )


def _remove(folder: str) -> None:
    path: Path | None = local_path(folder)
    if path is not None:
        shutil.rmtree(path, ignore_errors=True)
        return
    fs, remote = resolve(folder)
    if fs.exists(remote):
        fs.rm(remote, recursive=True)
