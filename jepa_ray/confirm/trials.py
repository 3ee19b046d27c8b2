"""Passes as Ray Tune trials: as many at once as the cluster holds, each with a fit of its own."""

import logging
import os
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import ray
from pyarrow.fs import FSSpecHandler, PyFileSystem
from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.cluster import session
from jepa_ray.config import ConfirmConfig
from jepa_ray.confirm.begun import settle, settled
from jepa_ray.confirm.meters import Meters
from jepa_ray.confirm.plan import Pass, label
from jepa_ray.confirm.room import passes_at_once
from jepa_ray.confirm.trial import Work, run_trial
from jepa_ray.corpus import choose_mode, cuts
from jepa_ray.storage import exists, join, local_path, resolve
from jepa_ray.train.device import Placement, place
from jepa_ray.train.keeper import read_left
from jepa_ray.train.trainer import memory_of_a_worker
from jepa_ray.train.watch import Watch

log = logging.getLogger(__name__)

Row = dict[str, Any]
Document = dict[str, Any]
_ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",  # its tables come at any verbosity
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # CSV, JSON and TensorBoard of nothing
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C ends the command, it does not wait for trials
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "0",  # its advice is about trials that wait
    # A pass is six processes or more; Ray warns at four a CPU. Of a local Ray only.
    "RAY_worker_maximum_startup_concurrency": str(2 * (os.cpu_count() or 1)),
}
_TRIAL = {"node:__internal_head__": 0.001}
"""What a trial asks for: no CPU, which are the workers' (decision 0013), and the node of the head,
whose loss nothing survives anyway."""


class _Silent(TrialProgressCallback):  # type: ignore[misc]
    """In the place of the one that prints when a trial ends, at any verbosity."""

    def on_trial_result(self, *_: Any, **__: Any) -> None:
        """Nothing: trials report nothing to Tune."""

    on_trial_error = on_trial_complete = on_trial_result


class _WhileHeld(tune.Callback):  # type: ignore[misc]
    """Ends the fit, within a second or so, when another process has taken the run."""

    def __init__(self, require_held: Callable[[], None]) -> None:
        self._require_held = require_held

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Raise where it is taken."""
        self._require_held()


def run_passes(
    todo: Sequence[Pass],
    config: ConfirmConfig,
    *,
    run: str,
    run_id: str,
    told: Callable[[Row], None],
    require_held: Callable[[], None],
) -> dict[str, str]:
    """Run passes on the cluster, or on a local Ray.

    Args:
        todo: Those without a report.
        config: Of the run.
        run: Its folder; Ray keeps what is its own in its `ray`.
        run_id: For names that the dashboard shows.
        told: Called with the rows of the trainings, and `warned`, `failed` or `finished`; each
            has `pass`.
        require_held: Raises once another process has taken the run.

    Returns:
        By pass, why it did not finish; empty where all did.

    Raises:
        ConfigError: The cluster cannot hold a single pass.
        UsageError: Another process has taken the run.
    """
    failures: dict[str, str] = {}
    meters = Meters(run_id, todo, planned=len(config.seeds) * len(todo[0].jobs))

    def heard(row: Row) -> None:
        if "failed" in row:
            failures[row["pass"]] = f"at {row['training']}: {row['failed']}"
        meters.take(row)
        told(row)

    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    names = ",".join(sorted(todo[0].order))
    about = {"verb": "confirm", "run_id": run_id, "dataset": names}
    with session(about=about), Watch(heard, f"confirm-{run_id}") as watch:
        logging.getLogger("ray.tune").setLevel(logging.ERROR)  # it misses metrics, which are ours
        placement = _placement(run, todo[0], config)
        at_once = _at_once(len(todo), placement, config)
        log.info("%d passes of %d trainings, %d at once", len(todo), len(todo[0].jobs), at_once)
        pins = _pins(run, todo[0], placement, memory_of_a_worker(placement, fits=at_once))
        works = [Work(each.pinned(**pins), run_id, watch.name) for each in todo]
        callbacks = [_Silent(), _WhileHeld(require_held)]
        try:
            results = _tuner(works, at_once, config.train.max_failures, run, callbacks).fit()
        except Exception:
            require_held()  # Tune may have made another error of it
            raise
        lost = {
            str(result.config["pass"]): _last_line(result.error)
            for result in results
            if result.error
        }
    unfinished = [each.name for each in todo if not each.finished]
    said = "its trial ended without a report"
    return {name: failures.get(name) or lost.get(name, said) for name in unfinished}


def _placement(run: str, each: Pass, config: ConfirmConfig) -> Placement:
    """Where all fits run: as the first one did, so that one spread is of one kind of device."""
    found, kept = ray.cluster_resources(), settled(run) | _as_trained(each)
    return place(
        config.train,
        cpus=found.get("CPU", 0),
        gpus=found.get("GPU", 0),
        device=kept.get("device"),
        precision=kept.get("precision"),
    )


def _as_trained(each: Pass) -> dict[str, str]:
    """Device and precision of a training that is finished: what `auto` came to; {} for none."""
    run, first = each.run, "pass01"
    for folder in (join(run, first, label(job.folder)) for job in each.jobs):
        if exists(join(folder, FILE_NAME)):
            about = read_left(folder).about
            return {key: about[key] for key in ("device", "precision") if key in about}
    return {}


def _at_once(wanted: int, placement: Placement, config: ConfirmConfig) -> int:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return passes_at_once(nodes, placement, wanted=wanted, most=config.concurrent)


def _pins(run: str, each: Pass, placement: Placement, memory_bytes: int) -> dict[str, Any]:
    """How all trainings of the run read their windows and compute, as when the first one began.

    The order of the batches depends on the first and the numbers on the second, so passes would
    not compare if each of them chose.
    """
    kept, last = settled(run), each.jobs[-1]
    found: Document = {"load_mode": None, **kept}
    where = {"device": placement.device, "precision": placement.precision}
    if found["load_mode"] is None:
        wanted = last.config.load_mode
        mode, why = choose_mode(last.processed_dir, last.names, wanted, memory_bytes)
        log.info("%s; for all trainings of the run", why)
        found["load_mode"] = mode
        if mode == "streaming":
            found["cuts"] = cuts(last.processed_dir, last.names)
    found |= where
    if found != kept:
        settle(run, found)
    return {"mode": found["load_mode"], **where}


def _tuner(
    works: Sequence[Work],
    at_once: int,
    max_failures: int,
    run: str,
    callbacks: list[tune.Callback],
) -> tune.Tuner:
    url, remote = join(run, "ray"), {}
    if local_path(url) is None:
        fs, url = resolve(url)
        remote = {"storage_filesystem": PyFileSystem(FSSpecHandler(fs))}
    by_name = {work.todo.name: work for work in works}

    def one_pass(config: dict[str, Any]) -> None:
        run_trial(by_name[config["pass"]])

    one_pass.__name__ = f"confirm-{works[0].run_id}"  # of its tasks in the dashboard
    return tune.Tuner(
        tune.with_resources(one_pass, tune.PlacementGroupFactory([_TRIAL])),
        param_space={"pass": tune.grid_search(list(by_name))},
        tune_config=tune.TuneConfig(
            max_concurrent_trials=at_once,
            trial_name_creator=lambda trial: _shown(by_name[_name_of(trial)]),
            trial_dirname_creator=_name_of,
        ),
        run_config=tune.RunConfig(
            name=f"confirm-{works[0].run_id}-{uuid.uuid4().hex[:8]}",
            storage_path=url,
            failure_config=tune.FailureConfig(max_failures=max_failures),
            verbose=0,
            callbacks=callbacks,
            **remote,
        ),
    )


def _name_of(trial: Any) -> str:
    return str(trial.config["pass"])


def _shown(work: Work) -> str:
    """As Tune and the dashboard name a trial."""
    return f"{work.todo.name} seed {work.todo.seed}"


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"its trial failed: {lines[-1] if lines else type(error).__name__}"
