"""Trainings without Ray, for the tests of the loop."""

from pathlib import Path
from typing import Any

import torch

from jepa_ray.config import ModelConfig, TrainConfig
from jepa_ray.train.data import Data, Worker, open_data
from jepa_ray.train.keeper import Keeper
from jepa_ray.train.loop import Training
from tests.prepared_corpus import JIRA, write_prepared

TINY = ModelConfig(d_model=16, layers=1, heads=2, mlp=16)
CONFIG = TrainConfig(seed=3, steps=7, batch_size=8, val_every=3, val_batches=2, model=TINY)


def corpus_folder(folder: Path, *, records: int = 64) -> str:
    """A prepared folder of made-up issues."""
    write_prepared(folder / "processed", folder / "raw", records=records)
    return str(folder / "processed")


def data_of(
    processed: str, config: TrainConfig = CONFIG, worker: Worker | None = None,
    names: tuple[str, ...] = (JIRA,), mode: str = "memory",
) -> Data:  # fmt: skip
    return open_data(processed, names, config, worker or Worker(), mode)


def trained(
    data: Data, config: TrainConfig = CONFIG, worker: Worker | None = None
) -> tuple[torch.nn.Module, list[dict[str, Any]], list[dict[str, Any]]]:
    """The objective, the rows returned and all that was reported."""
    told: list[dict[str, Any]] = []
    training = Training(config, data, worker or Worker(), report=told.append)
    return training.objective, training.run(), told


def kept(
    data: Data, folder: Path, config: TrainConfig = CONFIG, *,
    report: Any = lambda _row: None, state: dict[str, Any] | None = None,
    provenance: dict[str, Any] | None = None,
) -> Training:  # fmt: skip
    """A training that leaves its files in a folder, after it has run."""
    keeper = Keeper(str(folder), keep_last=config.checkpoint.keep_last)
    try:
        training = Training(
            config, data, Worker(), report=report, keeper=keeper, folder=str(folder),
            provenance=provenance,
        )  # fmt: skip
        if state:
            training.restore(state)
        training.run()
    finally:
        keeper.close()
    return training


def bits(module: torch.nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in module.state_dict().values())


def without_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if "seconds" not in k} for row in rows]
