"""The driver: one TorchTrainer fit for one training or several in a row.

Everything of a training lies in its own folder, written by its workers: states to resume from, the
result, the metrics. Ray keeps what is its own in `<storage path>/ray`.
"""

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from pyarrow.fs import FSSpecHandler, PyFileSystem
from ray import train as ray_train
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.cluster import session
from jepa_ray.config import CONFIRM_FILE, TrainConfig
from jepa_ray.config.legs import SEQUENTIAL
from jepa_ray.corpus import choose
from jepa_ray.errors import ConfigError, JepaRayError, TrainingError
from jepa_ray.storage import (
    absolute,
    exclusive,
    exists,
    join,
    local_path,
    require_writable,
    resolve,
)
from jepa_ray.storage.begun import unused_taken_away
from jepa_ray.train.device import Placement, place, require_divisors
from jepa_ray.train.jobs import Job, Plan, plan, require_same
from jepa_ray.train.keeper import read_left, write_config
from jepa_ray.train.watch import Watch
from jepa_ray.train.worker import Work, worker_main

log = logging.getLogger(__name__)

Row = dict[str, Any]
Progress = Callable[[Row], None]
_ONE_FIT = ("device", "max_failures", "min_workers", "precision", "threads", "workers")
"""Settings that all trainings of a fit share."""


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind; the fields but `collapsing` are the keys of `train --json`.

    `skill` is None for the objectives that predict no embeddings (`mae`, `supervised`);
    `collapsing` is what the guard says of the last validation; `seconds` has Ray's start, too.
    """

    checkpoint: str
    steps: int
    train_loss: float
    val_loss: float
    skill: float | None
    rankme: float
    slot_std: float
    cosine_to_mean: float
    collapsing: bool
    seconds: float
    device: str
    workers: int


def train(
    *,
    processed_dir: str,
    dataset: str,
    storage_path: str,
    run_id: str,
    config: TrainConfig,
    progress: Progress = lambda _row: None,
) -> TrainResult:
    """Train one model on prepared datasets and keep its checkpoint.

    A run that was stopped goes on from its last state when it is asked for again.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        dataset: `combined`, or names separated by commas; with sequential mixing in their order.
        storage_path: Path or URL under which runs are kept.
        run_id: Name of this run; its folder must not hold a result yet.
        config: Settings.
        progress: Told each metrics row and, in between, step and loss.

    Raises:
        CorpusError: The windows are absent or cannot be split.
        ConfigError: The run is finished, or was begun with other settings, or the cluster cannot
            hold the workers.
        TrainingError: The training stopped.
    """
    began = time.monotonic()
    folder = join(absolute(storage_path), run_id)
    names = choose(processed_dir, dataset, in_order=config.mixing == SEQUENTIAL)
    job = Job(processed_dir, tuple(names), config, folder)
    if exists(join(folder, CONFIRM_FILE)):
        raise ConfigError(f"{folder} holds a confirmation run: choose another --run-id")
    if job.finished:
        raise ConfigError(
            f"{folder} already holds a checkpoint: that run is finished, and a finished run is not "
            "trained further; choose another --run-id"
        )
    about = {"verb": "train", "run_id": run_id, "dataset": ",".join(names)}
    (found,) = train_many(
        [job], storage_path=folder, name=f"train-{run_id}", about=about, progress=progress
    )
    return replace(found, seconds=round(time.monotonic() - began, 3))


def train_many(
    jobs: Sequence[Job],
    *,
    storage_path: str,
    name: str = "train",
    about: Mapping[str, str] | None = None,
    progress: Progress = lambda _row: None,
) -> list[TrainResult]:
    """Train one model after the other inside one fit, which starts its workers once.

    Each resumes from its own last state; one that is finished is skipped, if it had these settings.

    Args:
        jobs: Trainings, each with a folder of its own. They share what says where a fit runs:
            device, precision, threads and workers.
        storage_path: Path or URL of the run, which holds the folders of the jobs; Ray keeps what is
            its own in its `ray`.
        name: How the name of the fit begins, as the dashboard shows it.
        about: Metadata of the Ray job, where this starts one.
        progress: Told each metrics row and, in between, step and loss; `run` is the folder.

    Returns:
        A result for each job, in order.

    Raises:
        CorpusError, ConfigError, CheckpointError: As for `train`.
        TrainingError: One of them stopped; those before it are finished.
    """
    _require_one_placement(jobs)
    todo = [job for job in jobs if not job.finished]
    for job in jobs:
        if job not in todo:
            require_same(job)
    with contextlib.ExitStack() as stack:
        plans = [plan(job) for job in todo]
        for job in todo:
            fresh = not exists(job.folder)
            require_writable(job.folder)
            stack.enter_context(exclusive(job.folder, "train into"))
            stack.enter_context(unused_taken_away(job.folder, (".lock",), fresh=fresh))
        if todo:
            stack.enter_context(session(about=about))
            _run(plans, absolute(storage_path), name, progress)
    return [_result(job) for job in jobs]


def _run(plans: Sequence[Plan], storage_path: str, name: str, progress: Progress) -> None:
    found, job = ray.cluster_resources(), plans[0].job
    config, cpus, gpus = job.config, found.get("CPU", 0), found.get("GPU", 0)
    placement = place(config, cpus=cpus, gpus=gpus, device=job.device, precision=job.precision)
    plans = [each.with_mode(memory_of_a_worker(placement)) for each in plans]
    for each in plans:
        log.info("%s", _start_line(each, placement))
        write_config(each.job.folder, each.job.config.model_dump(mode="json"))
    with Watch(lambda row: _told(row, progress), name) as watch:
        trainer = TorchTrainer(
            worker_main,
            train_loop_config={"work": Work(tuple(plans), placement, watch.name, storage_path)},
            torch_config=TorchConfig(backend=placement.backend),
            scaling_config=_scaling(placement),
            run_config=_run_config(storage_path, name, config.max_failures),
        )
        failed: Exception | None = None
        try:
            trainer.fit()
        except ray_train.TrainingFailedError as error:
            failed = error
        except (SystemExit, ray.exceptions.RayActorError) as error:
            # Ray Train answers Ctrl-C by ending the fit, and then the process, without a word.
            raise KeyboardInterrupt from error
        ours = watch.failure
    if ours:
        raise ours
    if failed:
        raise _ours(failed, config.max_failures) from failed


def _start_line(plan: Plan, placement: Placement) -> str:
    job = plan.job
    begins = "training" if plan.step is None else "resuming the training of"
    where = "" if plan.step is None else f" at step {plan.step} of {job.config.steps}"
    return f"{begins} {', '.join(job.names)}{where} on {placement}; {plan.why}"


def _told(row: Row, progress: Progress) -> None:
    """Hand a row on; a warning goes to the log."""
    if "warning" in row:
        log.warning("%s", row["warning"])
    elif "start_seconds" in row:
        log.debug("%s started in %.3f s", row["run"], row["start_seconds"])
    else:
        progress(row)


def _scaling(placement: Placement) -> ScalingConfig:
    on_gpu = placement.device == "cuda"
    elastic = placement.fewest < placement.workers
    return ScalingConfig(
        num_workers=(placement.fewest, placement.workers) if elastic else placement.workers,
        use_gpu=on_gpu,
        resources_per_worker={"CPU": placement.threads} | ({"GPU": 1} if on_gpu else {}),
    )


def _run_config(storage_path: str, name: str, max_failures: int) -> RunConfig:
    """Where Ray keeps what is its own; on an object store through fsspec, as all else."""
    url = join(storage_path, "ray")
    remote = {}
    if local_path(url) is None:
        fs, url = resolve(url)
        remote = {"storage_filesystem": PyFileSystem(FSSpecHandler(fs))}
    return RunConfig(
        name=f"{name}-{uuid.uuid4().hex[:8]}",
        storage_path=url,
        failure_config=FailureConfig(max_failures=max_failures),
        **remote,
    )


def memory_of_a_worker(placement: Placement, *, fits: int = 1) -> int:
    """Bytes of memory that a worker may use, by the smallest node of the cluster.

    Args:
        placement: Of a fit.
        fits: Such fits that run at once.
    """
    nodes = [node["Resources"].get("memory", 0) for node in ray.nodes() if node["Alive"]]
    beside = -(-placement.workers * fits // len(nodes))
    return int(min(nodes)) // beside


def _require_one_placement(jobs: Sequence[Job]) -> None:
    for name in _ONE_FIT:
        values = {getattr(job.config, name) for job in jobs}
        if len(values) > 1:
            raise ConfigError(
                f"the trainings of one fit share {name}, found {sorted(map(str, values))}"
            )
    for job in jobs:
        require_divisors(job.config)
    folders = [job.folder for job in jobs]
    if len(set(folders)) < len(folders):
        raise ConfigError("the trainings of one fit need a folder each, found one twice")


def _result(job: Job) -> TrainResult:
    if not job.finished:
        raise TrainingError(
            f"the training ended, but {join(job.folder, FILE_NAME)} is not there; if the cluster "
            "has several nodes, --storage-path must be shared by all"
        )
    _, last, about = read_left(job.folder)
    keys = (
        "train_loss", "val_loss", "skill", "rankme", "slot_std", "cosine_to_mean", "collapsing",
        "seconds",
    )  # fmt: skip
    return TrainResult(
        checkpoint=join(job.folder, FILE_NAME),
        steps=last["step"],
        device=about["device"],
        workers=about["workers"],
        **{key: last[key] for key in keys},
    )


def _ours(error: Exception, max_failures: int) -> JepaRayError:
    """Our own error of a worker, or a `TrainingError` that names the failure."""
    failures = getattr(error, "worker_failures", {}) or {}
    for failure in failures.values():
        cause = getattr(failure, "_original_exception", None) or failure
        while cause is not None:
            if isinstance(cause, JepaRayError):
                return cause
            cause = getattr(cause, "cause", None) or cause.__cause__
    first = str(next(iter(failures.values()), error)).strip().splitlines()
    return TrainingError(
        f"a training worker failed, and again {max_failures} time(s) after it was started anew: "
        f"{first[-1] if first else type(error).__name__}; the same command goes on from the last "
        "saved state"
    )
