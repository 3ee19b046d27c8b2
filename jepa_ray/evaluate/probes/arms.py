"""What each arm makes of the windows of a problem, and by which readout it is read.

All arms get the same training rows, the same folds and the same grid of penalties, and know what
the prior knows (`Problem.strata`). Nothing is fitted on a test row.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Float32, Index, Problem, seeded
from jepa_ray.evaluate.probes.slots import encoded
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import POSITIONS, SLOTS

WIDTH = 64
OURS: Final = "ours"
PRIOR: Final = "prior"
RAW: Final = "raw_linear"
Readout = Literal["linear", "trees"]
READOUTS: Final[dict[str, Readout]] = {
    "raw_linear": "linear",
    "raw_trees": "trees",
    "pca64": "linear",
    "random64": "linear",
    "untrained": "linear",
    "ours": "linear",
    "ours_raw_trees": "trees",
    "wrong_window": "linear",
}
"""Every arm but the prior, in the order in which they are told."""


class Encoders(NamedTuple):
    """The checkpoint's model and a fresh one of its seed, both on the CPU, in eval mode."""

    ours: ScheduleJEPA
    untrained: ScheduleJEPA


def again(readout: str, arm: str) -> str:
    """The name of another readout of an arm; the names of arms hold no colon."""
    return f"{readout}:{arm}"


def embedded(problem: Problem, encoders: Encoders, config: ProbeConfig) -> dict[str, Float32]:
    """The embeddings of either encoder, by arm: float32 (n, D), or (n, 2 D) with `mean_std`."""
    return {
        arm: encoded(model, problem).pooled(config.pooling)
        for arm, model in encoders._asdict().items()
    }


def inputs(
    problem: Problem, pooled: Mapping[str, Float32], config: ProbeConfig
) -> dict[str, Float32]:
    """The features of every arm but the prior: float32 (n, width) by arm.

    Args:
        problem: The windows.
        pooled: Their embeddings by either encoder.
        config: The seed.
    """
    dense = np.ascontiguousarray(problem.x[:, :, POSITIONS:]).reshape(len(problem.x), -1)
    raw = dense if problem.raw is None else problem.raw
    by_hand = hand_made(problem) if problem.raw is None else raw[:, :0]
    ours = pooled[OURS]
    found = {
        "raw_linear": raw,
        "raw_trees": np.concatenate([raw, by_hand], axis=1),
        "pca64": _pca(dense, problem, config),
        "random64": _projected(dense, config),
        "untrained": pooled["untrained"],
        "ours": ours,
        "ours_raw_trees": np.concatenate([ours, raw, by_hand], axis=1),
        "wrong_window": ours[wrong_windows(problem, config)],
    }
    known = told(problem)
    return {arm: np.concatenate([x, known], axis=1) for arm, x in found.items()}


def told(problem: Problem) -> Float32:
    """What every arm knows beside the window: a column a stratum, none where there is one."""
    known = np.unique(problem.strata)
    found: Float32 = (problem.strata[:, None] == known).astype(np.float32)
    return found if len(known) > 1 else found[:, :0]


def wrong_windows(problem: Problem, config: ProbeConfig) -> Index:
    """For each window another one of the same side: what its embedding tells is a floor."""
    found, draw = np.arange(len(problem.x)), seeded(config.seed, 6)
    for side in (problem.train, problem.test):
        found[side] = draw.permutation(side)
    return found


def hand_made(problem: Problem) -> Float32:
    """Aggregates that somebody who knows calendars would make: float32 (n, 52).

    Sum and maximum of each of the 14 features; active slots, bursts, first and last active slot,
    their distance, slots since the last; active slots in each of 16 parts of 90 minutes; and how
    many slots are seen, with their first.
    """
    x = problem.x[:, :, POSITIONS:]
    seen = problem.seen
    active: NDArray[np.bool_] = np.asarray((x > 0).any(axis=2))
    none = ~active.any(axis=1)
    first = np.where(none, -1, active.argmax(axis=1))
    last = np.where(none, -1, SLOTS - 1 - active[:, ::-1].argmax(axis=1))
    end = SLOTS - 1 - seen[:, ::-1].argmax(axis=1)
    begins = active[:, 1:] & ~active[:, :-1]
    single = [
        active.sum(axis=1), begins.sum(axis=1) + active[:, 0], first, last, last - first,
        end - last, seen.sum(axis=1), seen.argmax(axis=1),
    ]  # fmt: skip
    parts = active.reshape(len(x), 16, -1).sum(axis=2)
    found = np.concatenate([x.sum(axis=1), x.max(axis=1), np.stack(single, axis=1), parts], axis=1)
    return found.astype(np.float32)


def _pca(dense: Float32, problem: Problem, config: ProbeConfig) -> Float32:
    fitted = dense[problem.train]
    width = min(WIDTH, *fitted.shape)
    if not np.ptp(fitted, axis=0).any():  # all alike: there is no direction
        return np.zeros((len(dense), 1), np.float32)
    state = int(seeded(config.seed, 7).integers(2**31))
    pca = PCA(width, svd_solver="randomized", random_state=state).fit(fitted)
    found: Float32 = pca.transform(dense).astype(np.float32)
    return found


def _projected(dense: Float32, config: ProbeConfig) -> Float32:
    matrix = seeded(config.seed, 8).standard_normal((dense.shape[1], WIDTH))
    found: Float32 = (dense @ (matrix / WIDTH**0.5)).astype(np.float32)
    return found
