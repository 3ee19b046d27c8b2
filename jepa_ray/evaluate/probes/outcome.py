"""One task on one checkpoint: the score of every arm, and its scores on all resamples."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.intervals import resamples, widened
from jepa_ray.evaluate.probes.arms import (
    PRIOR,
    RAW,
    READOUTS,
    Encoders,
    again,
    inputs,
    slot_inputs,
    tokens,
    told,
)
from jepa_ray.evaluate.probes.attentive import attentive
from jepa_ray.evaluate.probes.labels import Values, prior
from jepa_ray.evaluate.probes.problem import Float32, Problem, Task
from jepa_ray.evaluate.probes.readouts import nearest, predict
from jepa_ray.evaluate.probes.scores import scores
from jepa_ray.evaluate.probes.slots import Slots

_AT_ONCE = 100


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a task.

    Attributes:
        task: What was asked.
        train, test, groups: Windows of either side, and actors or projects of the test side.
        split: How the sides were parted.
        scores: Of each arm.
        draws: Of each arm, float64 (draws,); the same resamples for all arms and checkpoints,
            made wider for few clusters.
    """

    task: Task
    train: int
    test: int
    groups: int
    split: str
    scores: dict[str, float]
    draws: dict[str, NDArray[np.float64]]


def outcome(problem: Problem, encoders: Encoders, config: ProbeConfig) -> Outcome:
    """Run all arms of a problem, with readouts."""
    seen = tokens(problem, encoders)
    said = read(problem, inputs(problem, seen, config), config)
    return measured(problem, said | read_slots(problem, seen, config), config)


def read(problem: Problem, features: dict[str, Float32], config: ProbeConfig) -> dict[str, Values]:
    """What each arm says of the test rows, and the nearest neighbours of each linear one."""
    found = {PRIOR: prior(problem)}
    for arm, x in features.items():
        found[arm] = predict(x, problem, READOUTS[arm], config)
    for arm, x in features.items():
        if READOUTS[arm] == "linear":
            found[again("knn", arm)] = nearest(x, problem, config)
    return found


def read_slots(
    problem: Problem, seen: Mapping[str, Slots], config: ProbeConfig
) -> dict[str, Values]:
    """What readouts say that are given the slots, not their mean."""
    known, found = told(problem), {}
    for arm, slots in slot_inputs(problem, seen, config).items():
        found[again("attentive", arm)] = attentive(slots, known, problem, config)
        if arm != RAW:  # which has all slots side by side already
            reduced = slots.reduced(problem, config.slot_components, config.seed)
            x = np.concatenate([reduced, known], axis=1)
            found[again("per_slot", arm)] = predict(x, problem, "linear", config)
    return found


def measured(problem: Problem, said: dict[str, Values], config: ProbeConfig) -> Outcome:
    """Score what the arms say, on the test rows and on resamples of their clusters."""
    metric, y = problem.task.metric, problem.y[problem.test]
    cluster = problem.cluster[problem.test]
    once = np.ones((1, len(y)))
    found = {arm: float(scores(metric, y, p, once)[0]) for arm, p in said.items()}
    draws: dict[str, list[NDArray[np.float64]]] = {arm: [] for arm in said}
    weights: list[NDArray[np.float64]] = []
    everybody = np.arange(problem.clusters)
    for i, counts in enumerate(resamples(everybody, draws=config.draws, seed=config.seed), 1):
        weights.append(counts[cluster].astype(np.float64))
        if len(weights) == _AT_ONCE or i == config.draws:
            stacked = np.stack(weights)
            for arm, p in said.items():
                draws[arm].append(scores(metric, y, p, stacked))
            weights.clear()
    least = -np.inf if metric == "r2" else 0.0
    return Outcome(
        task=problem.task,
        train=len(problem.train),
        test=len(problem.test),
        groups=problem.groups,
        split=problem.split,
        scores=found,
        draws={
            arm: widened(np.concatenate(parts), found[arm], problem.groups, least, 1.0)
            for arm, parts in draws.items()
        },
    )
