"""The losses of a run, as its trainings give them undisturbed and one by one in this process."""

import json
from pathlib import Path
from typing import Any

from jepa_ray.config import ConfirmConfig, load_config
from jepa_ray.confirm.plan import label
from tests.confirm.runs import flags, planned
from tests.train.trainings import data_of, kept

Losses = dict[tuple[str, str], tuple[float, float, float]]


def losses(found: dict[str, Any]) -> Losses:
    """Of confirmation.json: validation, training and untrained loss by pass and dataset."""
    return {
        (each["pass"], name): (about["val_loss"], about["train_loss"], about["untrained_loss"])
        for each in found["passes"]
        for name, about in each["checkpoints"].items()
    }


def losses_without_ray(processed: str, folder: Path, **settings: Any) -> Losses:
    """The same of passes with the seeds 1 and 2; settings as for `flags`."""
    overrides = [flag.removeprefix("--set=") for flag in flags(**settings)]
    config = load_config(ConfirmConfig, overrides=[*overrides, "seeds=1,2"])
    found = {}
    for each in planned(processed, folder, config):
        for job in each.jobs:
            kept(data_of(processed, job.config, names=job.names), Path(job.folder), job.config)
            lines = (Path(job.folder) / "metrics.jsonl").read_text().splitlines()
            first, last = json.loads(lines[0]), json.loads(lines[-1])
            key = (each.name, label(job.folder))
            found[key] = (last["val_loss"], last["train_loss"], first["val_loss"])
    return found
