"""What each arm makes of the windows of a problem, and by which readout it is read.

All arms get the same training rows, the same folds and the same grid of penalties, and know what
the prior knows (`Problem.strata`). Nothing is fitted on a test row.
"""

from typing import Final, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Float32, Problem, seeded
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import POSITIONS, SLOTS

WIDTH = 64
CHUNK = 512
OURS: Final = "ours"
PRIOR: Final = "prior"
KNN: Final = "knn_"
"""Before the name of a linear arm: the same features, read by their nearest neighbours."""
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


def inputs(problem: Problem, encoders: Encoders, config: ProbeConfig) -> dict[str, Float32]:
    """The features of every arm but the prior: float32 (n, width) by arm."""
    dense = np.ascontiguousarray(problem.x[:, :, POSITIONS:]).reshape(len(problem.x), -1)
    raw = dense if problem.raw is None else problem.raw
    by_hand = hand_made(problem) if problem.raw is None else raw[:, :0]
    ours = embedded(encoders.ours, problem, config)
    found = {
        "raw_linear": raw,
        "raw_trees": np.concatenate([raw, by_hand], axis=1),
        "pca64": _pca(dense, problem, config),
        "random64": _projected(dense, config),
        "untrained": embedded(encoders.untrained, problem, config),
        "ours": ours,
        "ours_raw_trees": np.concatenate([ours, raw, by_hand], axis=1),
        "wrong_window": shuffled(ours, problem, config),
    }
    told = _strata(problem)
    return {arm: np.concatenate([x, told], axis=1) for arm, x in found.items()}


def _strata(problem: Problem) -> Float32:
    """A column for each stratum, none where there is but one."""
    known = np.unique(problem.strata)
    found: Float32 = (problem.strata[:, None] == known).astype(np.float32)
    return found if len(known) > 1 else found[:, :0]


def embedded(model: ScheduleJEPA, problem: Problem, config: ProbeConfig) -> Float32:
    """Embeddings of what is seen of each window: float32 (n, D), or (n, 2 D) with `mean_std`.

    Whole windows are embedded by the target encoder, as the product does it; parts of them by the
    context encoder, over the slots that are seen. Equal windows are embedded once.
    """
    rows = problem.x.reshape(len(problem.x), -1)
    if problem.hidden is not None:
        rows = np.concatenate([rows, problem.hidden.astype(np.float32)], axis=1)
    rows = np.ascontiguousarray(rows)
    whole = rows.view([("", np.void, rows.dtype.itemsize * rows.shape[1])]).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    width = model.config.d_model * (2 if config.pooling == "mean_std" else 1)
    found = np.zeros((len(first), width), np.float32)
    for slots, mine in _patterns(problem, first):
        for start in range(0, len(mine), CHUNK):
            part = mine[start : start + CHUNK]
            x = torch.from_numpy(problem.x[first[part]])
            found[part] = _pooled(_tokens(model, x, slots), config).numpy()
    embeddings: Float32 = found[place]
    return embeddings


def _patterns(
    problem: Problem, rows: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64] | None, NDArray[np.int64]]]:
    """Slots that are seen, and the places in `rows` of the windows of which just these are."""
    if problem.hidden is None:
        return [(None, np.arange(len(rows)))]
    known, of_row = np.unique(problem.hidden[rows], axis=0, return_inverse=True)
    of_row = of_row.ravel()
    return [
        (np.flatnonzero(~hidden), np.flatnonzero(of_row == place))
        for place, hidden in enumerate(known)
    ]


@torch.inference_mode()
def _tokens(model: ScheduleJEPA, x: torch.Tensor, slots: NDArray[np.int64] | None) -> torch.Tensor:
    if slots is None:
        return model.embed_slots(x)
    visible = torch.from_numpy(slots).expand(len(x), -1)
    tokens: torch.Tensor = model.context_encoder(x, visible)
    return tokens.float()


def _pooled(tokens: torch.Tensor, config: ProbeConfig) -> torch.Tensor:
    mean = tokens.mean(dim=1)
    if config.pooling == "mean":
        return mean
    return torch.cat([mean, tokens.std(dim=1, correction=0)], dim=1)


def shuffled(ours: Float32, problem: Problem, config: ProbeConfig) -> Float32:
    """The embeddings of other windows of the same side: what is left is a floor."""
    found, draw = ours.copy(), seeded(config.seed, 6)
    for side in (problem.train, problem.test):
        found[side] = ours[draw.permutation(side)]
    return found


def hand_made(problem: Problem) -> Float32:
    """Aggregates that somebody who knows calendars would make: float32 (n, 52).

    Sum and maximum of each of the 14 features; active slots, bursts, first and last active slot,
    their distance, slots since the last; active slots in each of 16 parts of 90 minutes; and how
    many slots are seen, with their first.
    """
    x = problem.x[:, :, POSITIONS:]
    seen = np.ones(x.shape[:2], np.bool_) if problem.hidden is None else ~problem.hidden
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
