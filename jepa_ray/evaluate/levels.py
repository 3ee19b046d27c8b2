"""Collapse at four levels: of all windows, of slots, of dimensions, within and between actors.

- global: effective ranks of the window embeddings and how alike their directions are.
- slot: how much a slot's token differs from window to window, and `positional_share`: the share of
  all variance of the tokens that the slot alone explains. 1: every window gets the same tokens.
- dimension: std of each dimension of the window embeddings; a dimension is dead below 1 % of the
  untrained encoder's mean one.
- actor: variance of the window embeddings, summed over dimensions, between the means of actors and
  within actors, over actors with two windows or more. `ratio` is the share between them; without
  any likeness of an actor's windows it is about `chance` = (actors - 1) / (windows - 1).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.evaluate.passes import Pass
from jepa_ray.model.monitors import NOISE

DEAD_SHARE = 0.01
_NOBODY = np.uint64(0)
Floats = NDArray[np.float64]


def levels(found: Pass, untrained: Pass, actor: NDArray[np.uint64]) -> dict[str, Any]:
    """The four levels of one model.

    Args:
        found: Its pass.
        untrained: Of the untrained model over the same windows.
        actor: uint64 [n], 0 for nobody.
    """
    numbers = found.monitors
    std = found.pooled.std(axis=0)
    floor = DEAD_SHARE * float(untrained.pooled.std(axis=0).mean())
    return {
        "global": {
            "rankme": numbers.rankme,
            "participation_ratio": participation_ratio(found.pooled),
            "cosine_to_mean": numbers.cosine_to_mean,
        },
        "slot": {"std": numbers.slot_std, "positional_share": positional_share(found)},
        "dimension": {"std": std.tolist(), "dead": int((std <= floor).sum())},
        "actor": by_actor(found.pooled, actor),
    }


def participation_ratio(pooled: Floats) -> float:
    """(tr C)^2 / tr C^2 of the covariance C of embeddings [n, D]: 1 to D; 1.0 without variance."""
    values = singular_values(pooled) ** 2
    return float(values.sum() ** 2 / np.square(values).sum()) if values.any() else 1.0


def positional_share(found: Pass) -> float:
    """Share of the variance of all tokens that their slot explains; 1.0 without any variance."""
    mean, variance = (each.cpu().numpy() for each in found.meters.embeddings.slot_moments)
    between = float(mean.var(axis=0).sum())
    total = between + float(variance.mean(axis=0).sum())
    return between / total if total > 0 else 1.0


def singular_values(pooled: Floats) -> Floats:
    """Of the centred embeddings [n, D], largest first: float64 [D]; all 0 without variance."""
    centred = pooled - pooled.mean(axis=0)
    found = np.zeros(pooled.shape[1])
    if np.linalg.norm(centred) > NOISE * np.linalg.norm(pooled):
        values = np.linalg.svd(centred, compute_uv=False)
        found[: len(values)] = values
    return found


def spectrum(pooled: Floats) -> list[float]:
    """Singular values, divided by the largest."""
    values = singular_values(pooled)
    return [float(each) for each in values / (values[0] or 1.0)]


def by_actor(pooled: Floats, actor: NDArray[np.uint64]) -> dict[str, float | int] | None:
    """Variance between and within actors; None with fewer than two of two windows or more."""
    found, of_row, counts = np.unique(actor, return_inverse=True, return_counts=True)
    known = (counts[of_row] > 1) & (actor != _NOBODY)
    x = pooled[known]
    if len(np.unique(actor[known])) < 2:
        return None
    means = np.zeros((len(found), pooled.shape[1]))
    np.add.at(means, of_row, pooled)
    means = (means / counts[:, None])[of_row[known]]
    between = float(np.square(means - x.mean(axis=0)).sum() / len(x))
    within = float(np.square(x - means).sum() / len(x))
    actors = len(np.unique(actor[known]))
    total = between + within
    return {
        "between": between,
        "within": within,
        "ratio": between / total if total > 0 else 0.0,
        "chance": (actors - 1) / (len(x) - 1),
        "actors": actors,
    }
