"""A unit of work: one task on one checkpoint, in one thread; what it gives is kept as JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from jepa_ray.checkpoint import Checkpoint, load_checkpoint
from jepa_ray.config import ProbeConfig
from jepa_ray.corpus import fingerprints, prepared
from jepa_ray.evaluate.freshness import not_as_trained
from jepa_ray.evaluate.probes import delayed, window_tasks
from jepa_ray.evaluate.probes.arms import Encoders
from jepa_ray.evaluate.probes.delayed_csv import read_delayed
from jepa_ray.evaluate.probes.delayed_jira import FOLLOWED_DAYS, followed, read_deadlines
from jepa_ray.evaluate.probes.delayed_table import Table
from jepa_ray.evaluate.probes.outcome import Outcome, measured, outcome
from jepa_ray.evaluate.probes.problem import Problem, Skip, Task, require_enough
from jepa_ray.evaluate.probes.reidentify import REIDENTIFICATION, guesses, reidentification
from jepa_ray.evaluate.probes.sample import Sample, choose_names, read_sample
from jepa_ray.evaluate.probes.votes import DATASET, VOTES, votes
from jepa_ray.evaluate.threads import torch_threads
from jepa_ray.model import ScheduleJEPA

OF_WINDOWS: dict[str, tuple[Task, Callable[[Sample, ProbeConfig], Problem]]] = {
    task.name: (task, make)
    for task, make in (
        (window_tasks.HIDDEN_ACTIVITY, window_tasks.hidden_activity),
        (window_tasks.NEXT_ACTIVITY, window_tasks.next_activity),
        (window_tasks.PART_OF_DAY, window_tasks.part_of_day),
        (window_tasks.WEEKEND, window_tasks.weekend),
        (window_tasks.HOLIDAY, window_tasks.holiday),
        (VOTES, votes),
        (REIDENTIFICATION, reidentification),
    )
}


@dataclass(frozen=True)
class Place:
    """Where the inputs of all units lie: the windows, and the folders of the tables of delays."""

    processed_dir: str
    published: str | None
    deadlines: str | None
    config: ProbeConfig


class Unit(NamedTuple):
    """A checkpoint's URL, and the name of a task."""

    checkpoint: str
    task: str


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a unit.

    Attributes:
        windows: Of the sample.
        warnings: What a reader must know of the windows.
        outcome: None where the corpus cannot carry the task.
        reason: Then, why.
    """

    windows: int
    warnings: tuple[str, ...]
    outcome: Outcome | None
    reason: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON; the same to the bit when read again."""
        told = None
        if self.outcome is not None:
            draws = {arm: _listed(each) for arm, each in self.outcome.draws.items()}
            told = vars(self.outcome) | {"task": list(self.outcome.task), "draws": draws}
        return vars(self) | {"warnings": list(self.warnings), "outcome": told}

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Found":
        """Of such a document."""
        told = document["outcome"]
        if told is not None:
            draws = {arm: np.array(each, np.float64) for arm, each in told["draws"].items()}
            told = Outcome(**(told | {"task": Task(*told["task"]), "draws": draws}))
        return cls(**(document | {"warnings": tuple(document["warnings"]), "outcome": told}))


def _listed(draws: np.ndarray) -> list[float | None]:
    """NaN, which JSON has not, as None: `np.array` makes NaN of it again."""
    return [None if np.isnan(each) else float(each) for each in draws]


def forget_read() -> None:
    """Of an earlier probe in this process: files may have changed."""
    for cache in (_opened, _sampled, _published, _deadlines):
        cache.cache_clear()


def run_unit(place: Place, unit: Unit) -> Found:
    """A task on a checkpoint."""
    sample: Sample | None = None
    warnings: tuple[str, ...] = ()
    with _one_thread():
        _, encoders = _opened(unit.checkpoint)
        try:
            if unit.task in OF_WINDOWS:
                sample, warnings = _sampled(place, unit.checkpoint, unit.task == VOTES.name)
            problem = _problem(unit.task, sample, place)
            if unit.task == REIDENTIFICATION.name:
                said = guesses(problem, encoders, place.config)
                found = measured(problem, dict(said), place.config)
            else:
                found = outcome(problem, encoders, place.config)
        except Skip as reason:
            return Found(len(sample.uid) if sample else 0, warnings, None, str(reason))
        return Found(len(sample.uid) if sample else 0, warnings, found)


def _problem(name: str, sample: Sample | None, place: Place) -> Problem:
    config = place.config
    if sample is not None:
        made = OF_WINDOWS[name][1](sample, config)
    else:
        made = delayed.delayed(delayed.TASKS[name], _table_of(name, place), config)
    return require_enough(made, windows=config.min_windows, of_class=config.min_class)


def _table_of(name: str, place: Place) -> Table:
    if delayed.TASKS[name] in delayed.OF_JIRA:
        if place.deadlines is None:
            raise Skip(
                "no deadlines of Jira issues: write them with normalize-jira --deadlines into "
                "jira_deadlines/ of --downstream"
            )
        is_late = delayed.TASKS[name].metric == "roc_auc"
        return followed(_deadlines(place.deadlines), 1 if is_late else FOLLOWED_DAYS)
    if place.published is None:
        raise Skip("no tables of delayed issues: they belong into delayed_issues/ of --downstream")
    return _published(place.published)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch and for every BLAS and OpenMP: sums in one order."""
    with torch_threads(1), threadpool_limits(1):
        yield


@lru_cache(maxsize=1)
def _opened(url: str) -> tuple[Checkpoint, Encoders]:
    found = load_checkpoint(url)
    fresh = ScheduleJEPA(found.config.model, seed=found.config.seed).eval()
    return found, Encoders(found.model, fresh)


@lru_cache(maxsize=2)
def _sampled(place: Place, url: str, of_votes: bool) -> tuple[Sample, tuple[str, ...]]:
    """The sample of the window tasks or of `votes`, and what must be known of it."""
    found, _ = _opened(url)
    then = found.provenance["datasets"]
    if of_votes:
        names = [DATASET]
        if DATASET not in prepared(place.processed_dir):
            raise Skip(f"{DATASET} is not among the datasets")
    else:
        names = choose_names(place.processed_dir, list(then))
    sample = read_sample(place.processed_dir, names, found.config.split, place.config)
    now = {} if of_votes else fingerprints(place.processed_dir, sample.names)
    left_out = (f"left out: {reason}" for reason in sample.left_out)
    return sample, (*not_as_trained(then, now), *left_out)


@lru_cache(maxsize=1)
def _published(folder: str) -> Table:
    return read_delayed(folder)


@lru_cache(maxsize=1)
def _deadlines(folder: str) -> Table:
    return read_deadlines(folder)
