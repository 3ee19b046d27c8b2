"""A small model and prepared windows for the tests of `embed`."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import jepa_ray
from jepa_ray.checkpoint import save_checkpoint
from jepa_ray.config import ModelConfig, TrainConfig
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import sparse_windows

CONFIG = TrainConfig(seed=3, model=ModelConfig(d_model=16, layers=1, heads=2, mlp=16))


def checkpoint(folder, seed: int = 3) -> str:
    """A checkpoint of an untrained model; returns its URL."""
    model = ScheduleJEPA(CONFIG.model, seed=seed)
    return save_checkpoint(str(folder), model, CONFIG, step=7, provenance={})


def vectors(output, column: str = "embedding") -> dict[int, np.ndarray]:
    """What a table of embeddings says, by window_uid."""
    table = pq.read_table(output)
    values = np.stack(table[column].to_numpy())
    found = dict(zip(table["window_uid"].to_pylist(), values, strict=True))
    assert len(found) == len(table)
    return found


def expected(url: str, *folders: Path) -> dict[int, np.ndarray]:
    """What `jepa_ray.load(url).embed` says about the windows of prepared datasets."""
    found = {}
    for folder in folders:
        table = pq.read_table(folder / "windows")
        values = jepa_ray.load(url).embed(sparse_windows(table["runs"]).densify()).numpy()
        found |= dict(zip(table["window_uid"].to_pylist(), values, strict=True))
    return found


def same(a: dict[int, np.ndarray], b: dict[int, np.ndarray]) -> bool:
    """Whether two tables hold the same vectors of the same windows, to the bit."""
    return set(a) == set(b) and all(np.array_equal(a[uid], b[uid]) for uid in a)


def files(folder: Path) -> dict[str, bytes]:
    """The Parquet files of a table."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}
