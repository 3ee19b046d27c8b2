"""Parts of evaluation.json that follow from sums by window."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.corpus import Sample
from jepa_ray.evaluate.distance import BINS, bin_of
from jepa_ray.evaluate.passes import Predicted
from jepa_ray.evaluate.sums import Bootstrap, Rows, Sums, pair, summed


def intervals(bootstrap: Bootstrap, ours: Sums, theirs: Predicted) -> dict[str, Any]:
    """Of the reference comparison.

    Args:
        bootstrap: Over the windows of both.
        ours: Of the trained model.
        theirs: Of the untrained model, on the same windows and slots.
    """
    zeros = np.zeros(theirs.windows)
    error = summed(theirs.window, theirs.error, theirs.windows)
    fresh = Sums(error, zeros, zeros, zeros, ours.values)
    rise = bootstrap.rise(ours, fresh)
    return {
        "loss": pair(bootstrap.loss(ours)),
        "skill": pair(bootstrap.skill(ours)),
        "reduction": [-rise.high, -rise.low] if rise else None,
        "untrained_loss": pair(bootstrap.loss(fresh)),
    }


def by_distance(
    bootstrap: Bootstrap, rows: Rows, distance: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """By distance to the nearest visible slot; bins without a hidden slot are left out."""
    place = bin_of(distance)
    told = []
    for i, (first, last) in enumerate(BINS):
        mine = place == i
        if mine.any():
            sums = rows.sums(rows=mine)
            skill = pair(bootstrap.skill(sums))
            scores = {"loss": sums.loss, "skill": sums.skill, "skill_interval": skill}
            told.append({"from": first, "to": last, **scores, "slots": int(mine.sum())})
    return told


def baselines(bootstrap: Bootstrap, sums: Mapping[str, Sums]) -> dict[str, dict[str, Any]]:
    """The model and the baselines by name, on the same targets."""
    return {
        name: {
            "loss": each.loss,
            "skill": each.skill,
            "loss_interval": pair(bootstrap.loss(each)),
        }
        for name, each in sums.items()
    }


def counted(sample: Sample) -> dict[str, Any]:
    """How many windows these are, copies counted once, and how many they are worth.

    `effective` is Kish's number, (sum n)^2 / sum n^2 over the copies n of each distinct window. It
    is about contents: the windows differ as so many of equal weight do. The intervals are about
    windows as they come, copies among them: where a source repeats itself a mean over it is sure,
    and tells of those few contents.

    Source: Kish, Survey Sampling, 1965.
    """
    _, copies = np.unique(sample.windows.fingerprints(), return_counts=True)
    total = int(copies.sum())
    return {
        "windows": total,
        "distinct": len(copies),
        "effective": total**2 / float(np.square(copies.astype(np.float64)).sum()),
    }
