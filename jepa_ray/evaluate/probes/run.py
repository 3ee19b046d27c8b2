"""`jepa-ray probe`: which checkpoints, which tasks, two at once, one result file.

A unit of work is one task on one checkpoint; units run in processes of one thread each, and what
they give does not depend on how many there are.
"""

import itertools
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from jepa_ray.checkpoint import FILE_NAME, Checkpoint, load_checkpoint
from jepa_ray.config import ProbeConfig
from jepa_ray.corpus import prepared
from jepa_ray.errors import CheckpointError, ConfigError
from jepa_ray.evaluate.probes import delayed, window_tasks
from jepa_ray.evaluate.probes.arms import Encoders
from jepa_ray.evaluate.probes.delayed_csv import downstream_folder, read_delayed
from jepa_ray.evaluate.probes.outcome import Outcome, measured, outcome
from jepa_ray.evaluate.probes.problem import Problem, Skip, Task, require_enough
from jepa_ray.evaluate.probes.reidentify import REIDENTIFICATION, guesses, reidentification
from jepa_ray.evaluate.probes.sample import Sample, choose_names, read_sample
from jepa_ray.evaluate.probes.verdicts import closing, results
from jepa_ray.evaluate.probes.votes import DATASET, VOTES, votes
from jepa_ray.model import ScheduleJEPA
from jepa_ray.storage import exists, join, list_names, write_json

log = logging.getLogger(__name__)

RESULT = "probes.json"
FORMAT_VERSION = 1
_OF_WINDOWS: dict[str, tuple[Task, Callable[[Sample, ProbeConfig], Problem]]] = {
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
JIRA_DELAY = "jira_delay"
_NO_OUTCOME = (
    "prepared Jira windows know when an issue was created and due, not when it was resolved; the "
    "tasks late_by_* and days_late_by_* ask the same of the published tables"
)
TASKS = (*_OF_WINDOWS, *delayed.TASKS, JIRA_DELAY)
"""Names of all tasks, in the order in which they are told."""


@dataclass(frozen=True)
class Place:
    """Where the inputs of all units lie."""

    processed_dir: str
    downstream: str | None
    config: ProbeConfig


@dataclass(frozen=True)
class Target:
    """What is probed: the folder of the result, and the checkpoints."""

    folder: str
    checkpoints: tuple[str, ...]


def probe(
    checkpoint: str,
    *,
    processed_dir: str,
    downstream: str | None = None,
    tasks: Sequence[str] = TASKS,
    config: ProbeConfig,
    progress: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Probe a checkpoint, or the combined checkpoints of a confirmation run; write probes.json.

    Args:
        checkpoint: Path or URL of a `schedule_jepa.pt`, of its folder, or of a confirmation run.
        processed_dir: Path or URL that `prepare` wrote.
        downstream: Folder that holds `delayed_issues/`, or its CSV files; None: below
            JEPA_RAY_REAL_DATA, if that is set.
        tasks: Names out of `TASKS`.
        config: Samples and budgets.
        progress: Called with a line after each task of each checkpoint.

    Returns:
        What was written.

    Raises:
        CheckpointError: A checkpoint is absent or damaged.
        CorpusError: The windows are absent or damaged.
        ConfigError: A task is unknown.
    """
    _require_known(tasks)
    started, target = time.monotonic(), find(checkpoint)
    for cache in (_opened, _sampled, _table):
        cache.cache_clear()  # of an earlier probe in this process: files may have changed
    place = Place(processed_dir, downstream_folder(downstream), config)
    asked = [name for name in TASKS if name in tasks and name != JIRA_DELAY]
    units = list(itertools.product(asked, target.checkpoints))
    outcomes: dict[str, list[Outcome]] = {}
    skipped: dict[str, str] = {}
    windows = 0
    results_of = zip(units, _each(units, place), strict=True)
    for done, ((name, url), (seen, found)) in enumerate(results_of, 1):
        windows = max(windows, seen)
        progress(f"{done} of {len(units)}: {name}")
        if isinstance(found, str):
            log.info("%s skipped on %s: %s", name, url, found)
            skipped.setdefault(name, found)
        else:
            outcomes.setdefault(name, []).append(found)
    if JIRA_DELAY in tasks:
        skipped[JIRA_DELAY] = _NO_OUTCOME
    entries = results(outcomes, config)
    document = {
        "format_version": FORMAT_VERSION,
        "checkpoints": list(target.checkpoints),
        "windows": windows,
        "tasks": entries,
        "skipped": {name: why for name, why in skipped.items() if name not in outcomes},
        "verdict": closing(entries, [REIDENTIFICATION.name]),
        "seconds": time.monotonic() - started,
    }
    write_json(join(target.folder, RESULT), document)
    return document


def find(checkpoint: str) -> Target:
    """The checkpoints that a path or URL stands for.

    Raises:
        CheckpointError: There is none.
    """
    if checkpoint.endswith((".pt", ".safetensors")):
        return Target(checkpoint.rpartition("/")[0] or ".", (load_checkpoint(checkpoint).url,))
    if exists(join(checkpoint, FILE_NAME)):
        return Target(checkpoint, (join(checkpoint, FILE_NAME),))
    try:
        names = sorted(n for n in list_names(checkpoint) if n.startswith("pass"))
    except (FileNotFoundError, NotADirectoryError):
        names = []
    combined = [join(checkpoint, name, "combined", FILE_NAME) for name in names]
    found = tuple(url for url in combined if exists(url))
    if not found:
        raise CheckpointError(
            f"{checkpoint} holds neither {FILE_NAME} nor passNN/combined/{FILE_NAME}; give a "
            "checkpoint, the folder of a training, or that of a confirmation run"
        )
    return Target(checkpoint, found)


def _require_known(tasks: Sequence[str]) -> None:
    unknown = [name for name in tasks if name not in TASKS]
    if unknown or not tasks:
        raise ConfigError(
            f"no such task: {', '.join(unknown) or '(none given)'}; there are {', '.join(TASKS)}"
        )


def _each(units: Sequence[tuple[str, str]], place: Place) -> Iterator[tuple[int, Outcome | str]]:
    """What came of each unit, in their order."""
    work = partial(_unit, place)
    processes = min(place.config.processes, len(units))
    if processes <= 1:
        yield from map(work, units)
        return
    context = multiprocessing.get_context("spawn")  # a fork copies threads that hold locks
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(work, units)


def _unit(place: Place, unit: tuple[str, str]) -> tuple[int, Outcome | str]:
    """Windows of the sample, and the outcome of a task on a checkpoint or why there is none."""
    name, url = unit
    with _one_thread():
        _, encoders = _opened(url)
        sample = _sampled(place, url) if name in _OF_WINDOWS else None
        windows = len(sample.uid) if sample else 0
        try:
            problem = _problem(name, sample, place)
            if name == REIDENTIFICATION.name:
                said = guesses(problem, encoders, place.config)
                return windows, measured(problem, dict(said), place.config)
            return windows, outcome(problem, encoders, place.config)
        except Skip as reason:
            return windows, str(reason)


def _problem(name: str, sample: Sample | None, place: Place) -> Problem:
    config = place.config
    if sample is not None:
        made = _OF_WINDOWS[name][1](sample, config)
    else:
        if place.downstream is None:
            raise Skip("no tables of delayed issues: give --downstream")
        made = delayed.delayed(delayed.TASKS[name], _table(place.downstream), config)
    return require_enough(made, windows=config.min_windows, of_class=config.min_class)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch and for every BLAS and OpenMP: sums in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _opened(url: str) -> tuple[Checkpoint, Encoders]:
    found = load_checkpoint(url)
    fresh = ScheduleJEPA(found.config.model, seed=found.config.seed).eval()
    return found, Encoders(found.model, fresh)


@lru_cache(maxsize=1)
def _sampled(place: Place, url: str) -> Sample:
    found, _ = _opened(url)
    names = choose_names(place.processed_dir, list(found.provenance["datasets"]))
    there = prepared(place.processed_dir)
    if DATASET in there and DATASET not in names:
        names = sorted([*names, DATASET])
    return read_sample(place.processed_dir, names, found.config.split, place.config)


@lru_cache(maxsize=1)
def _table(folder: str) -> Any:
    return read_delayed(folder)
