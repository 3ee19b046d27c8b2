"""The numbers of a run, as its trainings give them undisturbed and one by one in this process."""

import json
from pathlib import Path
from typing import Any

from jepa_ray.config import ConfirmConfig, load_config
from jepa_ray.confirm.plan import label
from tests.confirm.runs import flags, planned
from tests.train.trainings import data_of, kept

Numbers = dict[tuple[str, str], dict[str, Any]]
_LAST = ("val_loss", "train_loss", "skill", "rankme", "slot_std", "cosine_to_mean", "collapsing")
_FIRST = {"untrained_loss": "val_loss", "untrained_rankme": "rankme",
          "untrained_slot_std": "slot_std"}  # fmt: skip


def numbers(found: dict[str, Any]) -> Numbers:
    """Of confirmation.json, by pass and dataset: all but times; of `combined` also the legs."""
    return {
        (each["pass"], name): {key: about[key] for key in (*_LAST, *_FIRST)}
        | ({"legs": each["legs"]} if name == "combined" else {})
        for each in found["passes"]
        for name, about in each["checkpoints"].items()
    }


def numbers_without_ray(processed: str, folder: Path, **settings: Any) -> Numbers:
    """The same of passes with the seeds 1 and 2; settings as for `flags`."""
    overrides = [flag.removeprefix("--set=") for flag in flags(**settings)]
    config = load_config(ConfirmConfig, overrides=[*overrides, "seeds=1,2"])
    found = {}
    for each in planned(processed, folder, config):
        for job in each.jobs:
            kept(data_of(processed, job.config, names=job.names), Path(job.folder), job.config)
            found[each.name, label(job.folder)] = _left(Path(job.folder))
    return found


def _left(folder: Path) -> dict[str, Any]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    legs = folder / "legs.json"
    return (
        {key: last[key] for key in _LAST}
        | {key: first[theirs] for key, theirs in _FIRST.items()}
        | (
            {"legs": json.loads(legs.read_text())["legs"] if legs.exists() else None}
            if folder.name == "combined"
            else {}
        )
    )
