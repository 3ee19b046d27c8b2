"""What a task hands to the arms: windows with all removed that gives the label away, and labels."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_CLUSTERS = 20
"""With fewer actors, projects or days to draw from, no interval is honest."""

Metric = Literal["roc_auc", "macro_f1", "r2", "brier", "top1"]
Float32 = NDArray[np.float32]
Index = NDArray[np.int64]


class Task(NamedTuple):
    """What is asked.

    Attributes:
        name: In snake_case.
        label: What is predicted, one sentence.
        sees: What every arm sees of a window, one sentence.
        metric: How it is scored.
        is_risk: A high score of ours is bad news.
    """

    name: str
    label: str
    sees: str
    metric: Metric
    is_risk: bool = False

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher score is a better one."""
        return self.metric != "brier"


class Skip(Exception):  # noqa: N818 - a finding, never an error of anybody
    """A corpus cannot carry a task; the message is the reason."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A task on n windows.

    Attributes:
        task: What is asked.
        x: float32 (n, 96, 16); what no arm may see is 0 already.
        hidden: bool (n, 96), slots that do not exist for any arm; None: all slots are seen.
        raw: float32 (n, p), what the raw arms have in place of the windows; None: the windows.
        y: (n,) int64 classes from 0 on, (n,) float64, or (n, bins) float64.
        strata: int64 (n,), what the prior tells apart (the dataset, the time of day that is asked
            about); said to every arm, so none wins by telling datasets apart.
        cluster: int64 (n,), the actor, project or day of a window among `clusters`.
        clusters: How many there are in the whole corpus, so that resamples are the same for every
            checkpoint.
        train, test: int64, rows of either side.
        split: How these were parted, one sentence.
    """

    task: Task
    x: Float32
    hidden: NDArray[np.bool_] | None
    raw: Float32 | None
    y: NDArray[Any]
    strata: Index
    cluster: Index
    clusters: int
    train: Index
    test: Index
    split: str

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Slots that exist for the arms: bool (n, 96)."""
        if self.hidden is None:
            return np.ones(self.x.shape[:2], np.bool_)
        return ~self.hidden

    @property
    def groups(self) -> int:
        """Clusters on the test side."""
        return len(np.unique(self.cluster[self.test]))


def seeded(seed: int, *place: int) -> np.random.Generator:
    """A generator for one purpose of the probes, of its own stream."""
    return np.random.default_rng(np.random.SeedSequence([seed, 0x970BE, *place]))


def require_enough(problem: Problem, *, windows: int, of_class: int) -> Problem:
    """The problem itself.

    Raises:
        Skip: One side has too few windows, groups, or windows of a class.
    """
    if len(problem.test) >= windows and problem.groups < FEWEST_CLUSTERS:
        raise Skip(
            f"the test windows belong to {problem.groups} actors, projects or days, fewer than "
            f"{FEWEST_CLUSTERS}: an interval over so few would be too narrow"
        )
    for side, rows in (("training", problem.train), ("test", problem.test)):
        if len(rows) < windows:
            raise Skip(f"{len(rows)} {side} windows, fewer than min_windows={windows}")
        if len(np.unique(problem.cluster[rows])) < 3:
            raise Skip(f"all {side} windows belong to one or two groups: nothing can be fitted")
        if problem.task.metric in ("roc_auc", "macro_f1"):
            counts = np.bincount(problem.y[rows], minlength=int(problem.y.max(initial=0)) + 1)
            few = int(counts.min(initial=len(rows)))
            if len(counts) < 2 or few < of_class:
                raise Skip(
                    f"a class has {few if len(counts) > 1 else 0} {side} windows, fewer than "
                    f"min_class={of_class}"
                )
        elif problem.task.metric == "r2" and np.ptp(problem.y[rows]) == 0:
            raise Skip(f"the label is the same in all {side} windows")
    return problem
