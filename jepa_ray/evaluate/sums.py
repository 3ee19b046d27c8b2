"""Sums by window, and how sure a ratio of them is.

Loss and skill are ratios of sums over windows, so a resample costs a weighted sum, not a pass:

    loss  = sum of squared errors / number of values
    skill = 1 - sum of squared errors / sum of squared deviations from the slot's constant

A mean that is fitted on the n targets it is scored on flatters itself by a share of 1 / n: with few
windows no model could beat it. So the squared deviations of a slot are taken times n / (n - 1), as
for a variance: what is left to explain of windows that are not in the sample. Leaving each target
out of its own mean would be n / (n - 1) more, and a model that knows no more than the true mean
would look skilled. A slot that one window alone hides has no deviation, so it counts for the loss
only.

What is approximated: the slot means are those of the whole sample in every resample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from jepa_ray.evaluate.intervals import (
    FEWEST_GROUPS,
    Interval,
    percentile_interval,
    resamples,
    widened,
)
from jepa_ray.evaluate.passes import Predicted
from jepa_ray.model.monitors import NOISE
from jepa_ray.windows import SLOTS

DRAWS = 1000
_AT_ONCE = 100  # resamples that are float64 at a time

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sums:
    """Of each of n windows, over some of its hidden slots and all dimensions; float64 [n] each.

    Attributes:
        error: Squared errors.
        compared: Those of targets that have a constant.
        constant: Squared deviations of these targets from the best constant per slot.
        energy: Squared targets: against it, a variation counts as none.
        values: How many numbers these are.
    """

    error: Floats
    compared: Floats
    constant: Floats
    energy: Floats
    values: Floats

    def of(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Sums":
        """Those of some windows."""
        return Sums(*(each[rows] for each in vars(self).values()))

    @property
    def loss(self) -> float:
        """Mean squared error; 0.0 where there is no value."""
        return float(self.error.sum() / max(self.values.sum(), 1))

    @property
    def varies(self) -> bool:
        """Whether the targets of a slot differ by more than rounding."""
        return bool(self.constant.sum() > NOISE**2 * self.energy.sum())

    @property
    def skill(self) -> float:
        """1 - loss / loss of the best constant per slot; 0.0 where nothing varies."""
        return float(1 - self.compared.sum() / self.constant.sum()) if self.varies else 0.0


class Rows:
    """Hidden slots with what the best constant per slot leaves of their targets."""

    def __init__(self, found: Predicted) -> None:
        self._found = found
        targets = found.targets.double()
        slots = torch.from_numpy(found.slot)
        means = targets.new_zeros(SLOTS, found.width).index_add_(0, slots, targets)
        counts = np.bincount(found.slot, minlength=SLOTS)
        self.slot_mean = means.numpy() / np.maximum(counts, 1)[:, None]
        """float64 [96, D], of the targets over the windows that hide the slot."""
        left = targets - torch.from_numpy(self.slot_mean)[slots]
        count = counts[found.slot]
        self._has_constant = count > 1
        self._constant = left.square().sum(dim=1).numpy() * count / np.maximum(count - 1, 1)
        self._energy = targets.square().sum(dim=1).numpy()

    def sums(self, error: Floats | None = None, rows: NDArray[np.bool_] | None = None) -> Sums:
        """Sums by window.

        Args:
            error: float64 [r], of other predictions of the same targets; None: the model's.
            rows: bool [r], which of them count; None: all.
        """
        error = self._found.error if error is None else error
        width = np.full(len(error), float(self._found.width))
        compared = np.where(self._has_constant, error, 0.0)
        weights = (error, compared, self._constant, self._energy, width)
        return Sums(*(self._by_window(each, rows) for each in weights))

    def _by_window(self, weights: Floats, rows: NDArray[np.bool_] | None) -> Floats:
        window = self._found.window
        if rows is not None:
            window, weights = window[rows], weights[rows]
        return summed(window, weights, self._found.windows)


class Bootstrap:
    """Resamples of n windows, drawn by whole groups; kept are 2 bytes a group and resample.

    Args:
        groups: [n], such as the actor of each window.
        draws: How many resamples.
        seed: Of them.
    """

    def __init__(self, groups: NDArray[np.integer], *, draws: int = DRAWS, seed: int = 0) -> None:
        found, self._of = np.unique(groups, return_inverse=True)
        self.groups = len(found)
        """How many there are; with fewer than `FEWEST_GROUPS` there is no interval."""
        self._counts = np.zeros((draws, self.groups), np.uint16)  # a count near 65,536 is not drawn
        for i, drawn in enumerate(resamples(np.arange(self.groups), draws=draws, seed=seed)):
            self._counts[i] = drawn

    @property
    def too_few(self) -> bool:
        """Whether no interval can be told."""
        return self.groups < FEWEST_GROUPS

    def totals(self, *columns: Floats) -> list[Floats]:
        """Of each column [n], its sum in each resample: float64 [draws]."""
        grouped = np.stack([summed(self._of, each, self.groups) for each in columns], axis=1)
        parts = range(0, len(self._counts), _AT_ONCE)
        found = [self._counts[i : i + _AT_ONCE].astype(np.float64) @ grouped for i in parts]
        return list(np.concatenate(found).T)

    def loss(self, sums: Sums) -> Interval | None:
        """Of the loss; None where there is no value."""
        error, values = self.totals(sums.error, sums.values)
        return self._interval(_ratio(error, values), sums.loss, least=0.0)

    def skill(self, sums: Sums) -> Interval | None:
        """Of the skill; None where there is no value, 0 to 0 where nothing varies."""
        if not sums.values.any():
            return None
        if not sums.varies:
            return Interval(0.0, 0.0)
        error, constant = self.totals(sums.compared, sums.constant)
        return self._interval(1 - _ratio(error, constant), sums.skill, most=1.0)

    def rise(self, sums: Sums, over: Sums) -> Interval | None:
        """Of loss / other loss - 1, on the same windows and slots."""
        one, other = self.totals(sums.error, over.error)
        whole = _ratio(sums.error.sum(keepdims=True), over.error.sum(keepdims=True))
        return self._interval(_ratio(one, other) - 1, float(whole[0]) - 1, least=-1.0)

    def gap(self, sums: Sums, over: Sums) -> Interval | None:
        """Of the other skill minus this skill, on the same or other slots of the same windows."""
        if not (sums.varies and over.varies):
            return None
        columns = (sums.compared, sums.constant, over.compared, over.constant)
        one, one_constant, other, other_constant = self.totals(*columns)
        gaps = _ratio(one, one_constant) - _ratio(other, other_constant)
        return self._interval(gaps, over.skill - sums.skill)

    def _interval(
        self, draws: Floats, value: float, *, least: float = -np.inf, most: float = np.inf
    ) -> Interval | None:
        if self.too_few or not np.isfinite(draws).any():
            return None
        return percentile_interval(widened(draws, value, self.groups, least, most))


def summed(places: NDArray[np.integer], weights: Floats, count: int) -> Floats:
    """Sums of weights by place: float64 [count]."""
    return np.bincount(places, weights, minlength=count).astype(np.float64)


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where the lower is 0."""
    found: Floats = np.full(len(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def pair(interval: Sequence[float] | None) -> list[float] | None:
    """An interval as JSON has it."""
    return None if interval is None else [float(each) for each in interval]
