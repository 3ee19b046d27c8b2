"""Samples and problems whose answer is known."""

import numpy as np

from jepa_ray.config import ModelConfig, ProbeConfig
from jepa_ray.evaluate.probes.arms import Encoders
from jepa_ray.evaluate.probes.problem import Problem, Task
from jepa_ray.evaluate.probes.sample import Sample, _seen, coarse
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import FEATURE_COUNT, INDEX, POSITION_VALUES, SLOTS, sparsify

CONFIG = ProbeConfig(
    train=400,
    test=400,
    min_windows=20,
    min_class=3,
    draws=1000,
    tree_rounds=10,
    attentive_steps=5,
    processes=1,
)
TINY = ModelConfig(d_model=16, layers=1, heads=2, mlp=16)
TASK = Task("planted", "Whether it rains.", "Everything.", "roc_auc")
_DAY_US = 86_400_000_000


def encoders() -> Encoders:
    return Encoders(ScheduleJEPA(TINY, seed=1).eval(), ScheduleJEPA(TINY, seed=2).eval())


def empty(n: int) -> np.ndarray:
    """Dense windows without anything: (n, 96, 16)."""
    x = np.zeros((n, SLOTS, FEATURE_COUNT), np.float32)
    x[:, :, :2] = POSITION_VALUES[:, None]
    return x


def busy(n: int, seed: int = 0) -> np.ndarray:
    """Days with two or three short activities between 05:00 and 21:00."""
    rng, x = np.random.default_rng(seed), empty(n)
    for window in x:
        for _ in range(rng.integers(2, 4)):
            first = rng.integers(20, 84)
            window[first : first + 2, INDEX["email_activity"]] = 1
            window[first : first + 2, INDEX["text_length"]] = rng.random(dtype=np.float32)
    return x


def sample(
    dense: np.ndarray,
    *,
    actors: int = 40,
    actor_day: bool = True,
    grouped: bool = False,
    temporal: bool = False,
    name: str = "made_up",
    metadata: list[str | None] | None = None,
) -> Sample:
    """A sample of one dataset; window i is of actor i % actors, on day i // actors."""
    n, windows = len(dense), sparsify(dense)
    active, holiday = _seen(windows)
    cluster = np.arange(n) % actors
    held_out = np.arange(n) >= n // 2 if temporal else np.arange(n) % 3 == 0
    if grouped:
        held_out = cluster % 4 == 0
    return Sample(
        names=[name],
        left_out=(),
        dataset=np.zeros(n, np.int64),
        windows=windows,
        uid=np.arange(1, n + 1, dtype=np.uint64),
        start_us=(np.arange(n) // actors + 18_000) * _DAY_US,
        cluster=cluster,
        clusters=actors,
        actor_day=np.full(n, actor_day),
        held_out=held_out,
        active=active,
        holiday=holiday,
        twin=coarse(windows).fingerprints(),
        metadata=metadata or [None] * n,
        grouped=grouped,
        temporal=temporal,
    )


def problem(y: np.ndarray, *, task: Task = TASK, x: np.ndarray | None = None) -> Problem:
    """A problem whose first half is for fitting; 20 clusters on either side."""
    n = len(y)
    half = n // 2
    return Problem(
        task=task,
        x=busy(n) if x is None else x,
        hidden=None,
        raw=None,
        y=y,
        strata=np.zeros(n, np.int64),
        cluster=np.arange(n) % 20 + 20 * (np.arange(n) >= half),
        clusters=40,
        train=np.arange(half),
        test=half + np.arange(n - half),
        split="By halves.",
    )
