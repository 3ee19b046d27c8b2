"""Settings of `confirm`: several passes of trainings that differ by their seed alone."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, field_validator, model_validator

from jepa_ray.config.base import Config
from jepa_ray.config.presets import PRESETS, with_defaults, with_preset
from jepa_ray.config.training import TrainConfig

CONFIRM_FILE = "confirm.yaml"
"""The settings in the folder of a run; a single training has none."""
SEEDS = tuple(range(2026061101, 2026061107))
_MOST = 1000
_RANGE = re.compile(r"(\d+)(?:\.\.(\d+))?")
_DEFAULTS: dict[str, Any] = {"guard": "off", "mixing": "sequential"}
_OF_A_PASS = ("seed", "split.seed")


class ConfirmConfig(Config):
    """prepared windows -> passes of checkpoints that differ by their seed alone."""

    seeds: tuple[int, ...] = Field(
        SEEDS,
        description="One a pass, each once: of its split, its order of datasets, weights and "
        "masks. A list, or as on the command line: `7,9` or `11..16`.",
    )
    concurrent: int | None = Field(
        None, ge=1, description="Passes at once at most; None: as many as the cluster holds."
    )
    train: TrainConfig = Field(
        default_factory=TrainConfig,
        description="Every training: the settings of `train`, below `train.`, but `train.seed` and "
        "`train.split.seed`, which are those of the pass. Defaults that differ from those of "
        "`train`: `mixing: sequential`, `guard: off`, `val_every`: a quarter of the steps.",
    )

    @model_validator(mode="before")
    @classmethod
    def _trainings_of_a_pass(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = data.get("train", {})
        if isinstance(given, BaseModel):
            given = given.model_dump(exclude_unset=True)
        return {**data, "train": _trainings(given) if isinstance(given, Mapping) else given}

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_as_text(cls, value: Any) -> Any:
        return _seeds(value) if isinstance(value, str) else (value,) if _is_int(value) else value

    @field_validator("seeds")
    @classmethod
    def _each_seed_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise ValueError(
                f"{', '.join(map(str, twice))} is there twice; a pass needs a seed of its own"
            )
        if not 0 < len(seeds) <= _MOST or not all(0 <= seed < 2**63 for seed in seeds):
            raise ValueError(f"give 1 to {_MOST} seeds, each from 0 to 2**63 - 1")
        return seeds

    def document(self) -> dict[str, Any]:
        """All settings, as `--config` takes them: without those that a pass sets."""
        found = self.model_dump(mode="json")
        del found["train"]["seed"]
        del found["train"]["split"]["seed"]
        return found


def _trainings(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given for every training, on top of its preset and of our defaults."""
    split = given.get("split")
    for key, there in zip(
        _OF_A_PASS, ("seed" in given, isinstance(split, Mapping) and "seed" in split), strict=True
    ):
        if there:
            raise ValueError(
                f"train.{key} is that of the pass: it comes from seeds; leave it out, and give "
                "--seeds"
            )
    found = with_preset(given) if given.get("preset") in PRESETS else dict(given)
    found = with_defaults(_DEFAULTS, found)
    steps = found.get("steps", TrainConfig.model_fields["steps"].default)
    if "val_every" not in found and _is_int(steps) and steps > 0:
        found["val_every"] = -(-steps // 4)
    return found


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seeds(text: str) -> tuple[int, ...]:
    """The seeds of `a..b`, `a,b,c` or both mixed."""
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match:
            raise ValueError("write seeds as a..b or a,b,c")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + _MOST:
            raise ValueError(f"{part.strip()} must go up, over {_MOST} seeds at most")
        found.extend(range(first, last + 1))
    return tuple(found)
