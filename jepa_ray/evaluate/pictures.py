"""What a report draws: a map of the windows, and one window of each dataset with its errors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.corpus import Sample, Samples
from jepa_ray.evaluate.passes import Predicted

MOST_POINTS = 2000
MOST_EXAMPLES = 12
_DIGITS = 5


def window_map(
    pooled: NDArray[np.float64], dataset: NDArray[np.int64], names: Sequence[str]
) -> Any:
    """The first windows on the two principal axes of their embeddings.

    Args:
        pooled: [n, D].
        dataset: int64 [n], places in `names`.
        names: Of the datasets.
    """
    x = pooled[:MOST_POINTS] - pooled[:MOST_POINTS].mean(axis=0)
    _, sizes, axes = np.linalg.svd(x, full_matrices=False)
    places = np.zeros((len(x), 2))
    found = (x @ axes[:2].T)[:, :2]
    places[:, : found.shape[1]] = found
    total = float(np.square(sizes).sum())
    shares = np.zeros(2)
    if total > 0:
        shares[: len(sizes[:2])] = np.square(sizes[:2]) / total
    return {
        "x": [round(float(each), _DIGITS) for each in places[:, 0]],
        "y": [round(float(each), _DIGITS) for each in places[:, 1]],
        "dataset": dataset[:MOST_POINTS].tolist(),
        "names": list(names),
        "explained": [round(float(each), _DIGITS) for each in shares],
    }


def examples(samples: Samples, found: Predicted, more: Predicted | None) -> list[dict[str, Any]]:
    """The first scored window of each dataset, of twelve: what was hidden of it, and the errors.

    Args:
        samples: The windows.
        found: The hidden slots of `samples.held_out`.
        more: Of `samples.more`, for datasets that the draw has no window of; None: there are none.
    """
    sides = [(samples.held_out, found), *([(samples.more, more)] if more is not None else [])]
    told: list[dict[str, Any]] = []
    for i, name in enumerate(samples.names):
        first = [(s, p, int(np.argmax(s.dataset == i))) for s, p in sides if (s.dataset == i).any()]
        if first and len(told) < MOST_EXAMPLES:
            told.append({"dataset": name, **_example(*first[0])})
    return told


def _example(side: Sample, found: Predicted, row: int) -> dict[str, Any]:
    sample = side.take(np.array([row]))
    mine = found.window == row
    errors = found.error[mine] / found.width
    dense = sample.windows.densify()[0]
    return {
        "window_uid": f"{int(sample.uids[0]):016x}",
        "dense": [[round(float(value), 3) for value in slot] for slot in dense],
        "hidden": found.slot[mine].tolist(),
        "error": [round(float(each), 6) for each in errors],
    }
