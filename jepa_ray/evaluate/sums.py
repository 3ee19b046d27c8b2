"""Sums by window, and how sure a ratio of them is.

Loss and skill are ratios of sums over windows, so a resample costs a weighted sum, not a pass:

    loss  = sum of squared errors / number of values
    skill = 1 - sum of squared errors / sum of squared deviations from the slot's mean

What is approximated: the slot means are those of the whole sample in every resample. A resample's
own means would leave it a share of about 1 / (windows of the slot) less to explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from jepa_ray.evaluate.intervals import Interval, percentile_interval, resamples
from jepa_ray.evaluate.passes import Predicted
from jepa_ray.model.monitors import NOISE
from jepa_ray.windows import SLOTS

DRAWS = 1000
FEWEST_GROUPS = 10
"""With fewer actors than this, windows are drawn: so few clusters say nothing of their spread."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sums:
    """Of each of n windows, over some of its hidden slots and all dimensions; float64 [n] each.

    Attributes:
        error: Squared errors.
        constant: Squared deviations of the targets from the best constant per slot.
        energy: Squared targets: against it, a variation counts as none.
        values: How many numbers these are.
    """

    error: Floats
    constant: Floats
    energy: Floats
    values: Floats

    def of(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Sums":
        """Those of some windows."""
        return Sums(self.error[rows], self.constant[rows], self.energy[rows], self.values[rows])

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
        return float(1 - self.error.sum() / self.constant.sum()) if self.varies else 0.0


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
        self._constant = left.square().sum(dim=1).numpy()
        self._energy = targets.square().sum(dim=1).numpy()

    def sums(self, error: Floats | None = None, rows: NDArray[np.bool_] | None = None) -> Sums:
        """Sums by window.

        Args:
            error: float64 [r], of other predictions of the same targets; None: the model's.
            rows: bool [r], which of them count; None: all.
        """
        error = self._found.error if error is None else error
        width = np.full(len(error), float(self._found.width))
        weights = (error, self._constant, self._energy, width)
        return Sums(*(self._by_window(each, rows) for each in weights))

    def _by_window(self, weights: Floats, rows: NDArray[np.bool_] | None) -> Floats:
        window = self._found.window
        if rows is not None:
            window, weights = window[rows], weights[rows]
        return summed(window, weights, self._found.windows)


class Bootstrap:
    """Resamples of n windows, drawn by whole groups.

    Args:
        groups: [n], such as the actor of each window.
        draws: How many resamples.
        seed: Of them.
    """

    def __init__(self, groups: NDArray[np.integer], *, draws: int = DRAWS, seed: int = 0) -> None:
        found, self._of = np.unique(groups, return_inverse=True)
        self.by_window = len(found) < FEWEST_GROUPS
        """Whether there are too few groups, so that windows are drawn one by one."""
        if self.by_window:
            self._of = np.arange(len(groups))
        self._groups = len(groups) if self.by_window else len(found)
        counts = list(resamples(np.arange(self._groups), draws=draws, seed=seed))
        self._counts = np.stack(counts).astype(np.float64)

    def totals(self, *columns: Floats) -> list[Floats]:
        """Of each column [n], its sum in each resample: float64 [draws]."""
        grouped = [summed(self._of, each, self._groups) for each in columns]
        return list((self._counts @ np.stack(grouped, axis=1)).T)

    def loss(self, sums: Sums) -> Interval | None:
        """Of the loss; None where there is no value."""
        error, values = self.totals(sums.error, sums.values)
        return _interval(_ratio(error, values))

    def skill(self, sums: Sums) -> Interval | None:
        """Of the skill; None where there is no value, 0 to 0 where nothing varies."""
        if not sums.values.any():
            return None
        if not sums.varies:
            return Interval(0.0, 0.0)
        error, constant = self.totals(sums.error, sums.constant)
        return _interval(1 - _ratio(error, constant))

    def rise(self, sums: Sums, over: Sums) -> Interval | None:
        """Of loss / other loss - 1, on the same windows and slots."""
        one, other = self.totals(sums.error, over.error)
        return _interval(_ratio(one, other) - 1)

    def gap(self, sums: Sums, over: Sums) -> Interval | None:
        """Of the other skill minus this skill, on the same or other slots of the same windows."""
        if not (sums.varies and over.varies):
            return None
        columns = (sums.error, sums.constant, over.error, over.constant)
        one, one_constant, other, other_constant = self.totals(*columns)
        return _interval(_ratio(one, one_constant) - _ratio(other, other_constant))


def summed(places: NDArray[np.integer], weights: Floats, count: int) -> Floats:
    """Sums of weights by place: float64 [count]."""
    return np.bincount(places, weights, minlength=count).astype(np.float64)


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where the lower is 0."""
    found: Floats = np.full(len(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _interval(values: Floats) -> Interval | None:
    return percentile_interval(values) if np.isfinite(values).any() else None


def pair(interval: Sequence[float] | None) -> list[float] | None:
    """An interval as JSON has it."""
    return None if interval is None else [float(each) for each in interval]
