"""One task on one checkpoint: the score of every arm, and its scores on all resamples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.intervals import resamples, widened
from jepa_ray.evaluate.probes.arms import (
    OURS,
    PRIOR,
    RAW,
    READOUTS,
    Encoders,
    again,
    inputs,
    told,
    wrong_windows,
)
from jepa_ray.evaluate.probes.attentive import attentive
from jepa_ray.evaluate.probes.labels import Values, prior
from jepa_ray.evaluate.probes.problem import Float32, Problem, Task
from jepa_ray.evaluate.probes.readouts import nearest, predict
from jepa_ray.evaluate.probes.scores import scores
from jepa_ray.evaluate.probes.slots import Slots, encoded, raw_slots

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
    pooled: dict[str, Float32] = {}
    by_slots: dict[str, Values] = {}
    for arm, model in encoders._asdict().items():  # one at a time: tokens are large
        slots = encoded(model, problem)
        pooled[arm] = slots.pooled(config.pooling)
        by_slots |= read_slots(arm, slots, problem, config)
        if arm == OURS:
            wrong = slots.moved(wrong_windows(problem, config))
            by_slots |= read_slots("wrong_window", wrong, problem, config)
    said = read(problem, inputs(problem, pooled, config), config) | by_slots
    if problem.raw is None:
        said[again("attentive", RAW)] = attentive(
            raw_slots(problem), told(problem), problem, config
        )
        said[again("per_slot", RAW)] = said[RAW]  # it has all slots side by side already
    return measured(problem, said, config)


def read(problem: Problem, features: dict[str, Float32], config: ProbeConfig) -> dict[str, Values]:
    """What each arm says of the test rows, and the nearest neighbours of each linear one."""
    found = {PRIOR: prior(problem)}
    for arm, x in features.items():
        found[arm] = predict(x, problem, READOUTS[arm], config)
    for arm, x in features.items():
        if READOUTS[arm] == "linear":
            found[again("knn", arm)] = nearest(x, problem, config)
    return found


def read_slots(arm: str, slots: Slots, problem: Problem, config: ProbeConfig) -> dict[str, Values]:
    """What readouts say that are given the slots of an encoder, not their mean."""
    known = told(problem)
    reduced = slots.reduced(problem.train, config.slot_components)
    x = np.concatenate([reduced, known], axis=1)
    return {
        again("attentive", arm): attentive(slots, known, problem, config),
        again("per_slot", arm): predict(x, problem, "linear", config),
    }


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
