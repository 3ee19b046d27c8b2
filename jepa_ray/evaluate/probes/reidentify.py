"""A risk, not a win: can a person be told from the embedding of a day?

For each day asked about (the later ones of an actor), the nearest earlier day of anybody, by the
cosine of standardised features. The share of days whose nearest belongs to the same actor is set
against guessing the actor with the most days. Nothing is fitted but means and deviations.
"""

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.arms import PRIOR, Encoders, embedded, inputs
from jepa_ray.evaluate.probes.problem import FEWEST_CLUSTERS, Float32, Index, Problem, Skip, Task
from jepa_ray.evaluate.probes.sample import Sample, hashed

REIDENTIFICATION = Task(
    "reidentification",
    "Which of the known actors a day belongs to: a risk to privacy, so a high score is no merit.",
    "The whole window of an actor's day; compared with earlier days of up to 200 actors.",
    "top1",
    is_risk=True,
)
_ACTORS, _DAYS = 200, 10
_ARMS = ("raw_linear", "pca64", "random64", "untrained", "ours", "wrong_window")
_SPLIT = (
    "Each actor's earlier days are known, the later ones asked about; up to ten of each. Days that "
    "look alike stay, as they do in a table of embeddings: a person of routine is the easiest to "
    "find. The checkpoint's split has no say in it: many of these days it was trained on, as the "
    "product's encoder is."
)


def reidentification(sample: Sample, config: ProbeConfig) -> Problem:
    """Days of actors who have enough of them."""
    rows = np.flatnonzero(sample.actor_day & sample.active.any(axis=1))
    actors, counts = np.unique(sample.cluster[rows], return_counts=True)
    actors = actors[counts >= 4]
    if len(actors) < FEWEST_CLUSTERS:
        raise Skip(f"{len(actors)} actors have four days or more, fewer than {FEWEST_CLUSTERS}")
    actors = actors[np.argsort(hashed(actors, config.seed, 10))][:_ACTORS]
    known, asked = [], []
    for actor in np.sort(actors):
        mine = rows[sample.cluster[rows] == actor]
        mine = mine[np.argsort(sample.start_us[mine], kind="stable")]
        half = len(mine) // 2
        known.append(mine[:half][-_DAYS:])
        asked.append(mine[half:][:_DAYS])
    return _problem(sample, np.concatenate(known), np.concatenate(asked))


def _problem(sample: Sample, train: Index, test: Index) -> Problem:
    rows = np.concatenate([train, test])
    return Problem(
        task=REIDENTIFICATION,
        x=sample.windows.take(rows).densify(),
        hidden=None,
        raw=None,
        y=sample.cluster[rows],
        strata=np.zeros(len(rows), np.int64),
        cluster=sample.cluster[rows],
        clusters=sample.clusters,
        train=np.arange(len(train)),
        test=len(train) + np.arange(len(test)),
        split=_SPLIT,
    )


def guesses(
    problem: Problem, encoders: Encoders, config: ProbeConfig
) -> dict[str, NDArray[np.int64]]:
    """The actor that each arm says, for each day asked about."""
    known = problem.y[problem.train]
    names, counts = np.unique(known, return_counts=True)
    found = {PRIOR: np.full(len(problem.test), names[counts.argmax()])}
    features = inputs(problem, embedded(problem, encoders, config), config)
    return found | {arm: known[_nearest(features[arm], problem)] for arm in _ARMS}


def _nearest(x: Float32, problem: Problem) -> Index:
    fitted = x[problem.train]
    std = fitted.std(axis=0)
    x = (x - fitted.mean(axis=0)) / np.where(std > 0, std, 1)
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    found: Index = (x[problem.test] @ x[problem.train].T).argmax(axis=1)
    return found
