"""How sure a number is: bootstrap over windows or groups of them, t-intervals over seeds.

A bootstrap draws whole groups (actors, projects) with replacement, because windows of one actor are
not independent. It gives counts, not copies: any statistic that can weight its rows can use it.

Sources: Efron 1979 (bootstrap); Davison and Hinkley 1997, section 3.8 (clusters); Student 1908;
Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 5.3 (few clusters).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
FEWEST_GROUPS = 3
"""With fewer actors, projects or days to draw from, an interval is a guess: none is told."""


class Interval(NamedTuple):
    """A confidence interval of level 0.95, both ends included."""

    low: float
    high: float


class Spread(NamedTuple):
    """A number over several seeds.

    Attributes:
        mean: Over the seeds.
        std: Sample standard deviation; 0.0 for one seed.
        low, high: t-interval of the mean, level 0.95; both the mean for one seed.
        n: Seeds.
    """

    mean: float
    std: float
    low: float
    high: float
    n: int


def resamples(groups: NDArray[np.integer], *, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each row is drawn when whole groups are drawn with replacement.

    Args:
        groups: (n,), the group of each row; all distinct for a bootstrap over rows.
        draws: How many resamples.
        seed: In [0, 2**63).

    Yields:
        int64 (n,) counts; rows of one group have the same.
    """
    _, of_row = np.unique(groups, return_inverse=True)
    count = int(of_row.max(initial=-1)) + 1
    generator = np.random.default_rng(np.random.SeedSequence([seed, count]))
    for _ in range(draws):
        drawn = np.bincount(generator.integers(count, size=count), minlength=count)
        yield drawn[of_row].astype(np.int64)


def percentile_interval(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """The middle 95 % of the statistics of resamples; those that are not finite are left out.

    Raises:
        ValueError: None is finite.
    """
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found)]
    if not len(found):
        raise ValueError("no resample has a finite value")
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def wider(groups: int) -> float:
    """By how much a percentile interval over so many groups is too narrow.

    t(k - 1) / z * sqrt(k / (k - 1)) for k groups: 169 % for 3, 25 % for 9, 10 % for 20.
    """
    upper = (1 + LEVEL) / 2
    found = stats.t.ppf(upper, groups - 1) / stats.norm.ppf(upper) * (groups / (groups - 1)) ** 0.5
    return float(found)


def widened(
    draws: NDArray[np.float64], value: float, groups: int, least: float, most: float
) -> NDArray[np.float64]:
    """Resampled statistics, spread around the value as Student's t is for so few groups.

    Args:
        draws: Of the resamples.
        value: Of the sample itself.
        groups: How many were drawn from, two or more.
        least: End of the statistic's range.
        most: The other end.
    """
    found: NDArray[np.float64] = np.clip(value + wider(groups) * (draws - value), least, most)
    return found


def spread(values: Sequence[float]) -> Spread:
    """Mean, spread and t-interval of a number over independent seeds.

    Raises:
        ValueError: There is no value.
    """
    found = np.asarray(values, np.float64)
    n = len(found)
    if not n:
        raise ValueError("no seed, no spread")
    mean = float(found.mean())
    if n == 1:
        return Spread(mean, 0.0, mean, mean, 1)
    std = float(found.std(ddof=1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * std / n**0.5
    return Spread(mean, std, mean - half, mean + half, n)
