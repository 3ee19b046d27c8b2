"""What each Ray Train worker runs: one training after the other, each from its last state.

Ray starts the workers anew when one is lost; they find what is finished and what to go on from in
the folders of the runs. An error of ours would only repeat itself, so it is told to the driver, and
workers that are started after it return at once.
"""

import time
from dataclasses import dataclass
from typing import Any, TypeVar

import ray
import torch
from ray import train as ray_train
from ray.train.torch import get_device
from torch import distributed

from jepa_ray import __version__
from jepa_ray.checkpoint import newest_state, read_state, state_url
from jepa_ray.corpus import cuts, fingerprints, prepared
from jepa_ray.errors import JepaRayError, TrainingError
from jepa_ray.model.precision import resolved
from jepa_ray.storage import exists, join
from jepa_ray.train.data import Data, Worker, open_data
from jepa_ray.train.device import Placement
from jepa_ray.train.jobs import Job, Plan
from jepa_ray.train.keeper import CONFIG_FILE, Keeper
from jepa_ray.train.loop import Training
from jepa_ray.train.meters import Meters
from jepa_ray.train.watch import Teller
from jepa_ray.windows import CONTRACT_VERSION

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """What the driver hands to every worker.

    Attributes:
        plans: Trainings, in order.
        placement: Of all of them.
        watch: Name of the actor that takes what is told.
        run: Folder of the run, path or URL.
    """

    plans: tuple[Plan, ...]
    placement: Placement
    watch: str
    run: str


def worker_main(config: dict[str, Any]) -> None:
    """Run all trainings of a `Work`, the value of `config["work"]`."""
    work: Work = config["work"]
    tell = Teller(work.watch)
    if tell.failed():
        return
    torch.set_num_threads(work.placement.threads)
    context = ray_train.get_context()
    device = get_device() if work.placement.device == "cuda" else torch.device("cpu")
    worker = Worker(context.get_world_rank(), context.get_world_size(), device)
    try:
        for plan in work.plans:
            _train(plan, work, worker, tell)
    except JepaRayError as error:
        tell.fail(error)
        if worker.world > 1:  # the others may wait for us in a collective: Ray ends them
            raise


def _train(plan: Plan, work: Work, worker: Worker, tell: Teller) -> None:
    """One training, unless it is finished."""
    began, job, placement = time.monotonic(), plan.job, work.placement
    if _agreed(job.finished, worker):
        return
    _require_shared(job.folder)
    config = job.config
    assert plan.mode is not None
    data = open_data(job.processed_dir, job.names, config, worker, plan.mode)
    precision = resolved(placement.precision, worker.device)
    meters = Meters(work.run, job.folder, job.names, steps=config.steps)

    def report(row: dict[str, Any]) -> None:
        meters.show(row)
        tell({"run": job.folder, **row})

    keeper = None
    if not worker.rank:
        keeper = Keeper(job.folder, keep_last=config.checkpoint.keep_last)
    try:
        training = Training(
            config,
            data,
            worker,
            report=report,
            keeper=keeper,
            folder=job.folder,
            provenance=_provenance(plan, placement, worker, data) | {"precision": precision},
            precision=precision,
        )
        state = _state(job.folder, worker)
        if state:
            training.restore(state)
        if not worker.rank:
            tell({"run": job.folder, "start_seconds": time.monotonic() - began})
        training.run()
    finally:
        if keeper:
            keeper.close()


def _state(folder: str, worker: Worker) -> dict[str, Any] | None:
    """The newest whole state, the same on all ranks."""
    state = None if worker.rank else newest_state(folder)[0]
    step = _agreed(state["step"] if state else None, worker)
    return read_state(state_url(folder, step)) if worker.rank and step is not None else state


def _agreed(value: T, worker: Worker) -> T:
    """What rank 0 found: a file may show up on the nodes at different moments."""
    if worker.world == 1:
        return value
    found = [value]
    distributed.broadcast_object_list(found, src=0)
    return found[0]


def _require_shared(folder: str) -> None:
    """The driver wrote the config there: a worker that does not see it has another disk.

    Raises:
        TrainingError: It does not.
    """
    if not exists(join(folder, CONFIG_FILE)):
        node = ray.util.get_node_ip_address()
        raise TrainingError(
            f"node {node} does not see {folder}, which the driver has made: runs of a cluster need "
            "a --storage-path that all nodes share, such as s3:// or a mounted folder"
        )


def _provenance(plan: Plan, placement: Placement, worker: Worker, data: Data) -> dict[str, Any]:
    """Where the weights come from."""
    job: Job = plan.job
    counts = prepared(job.processed_dir)
    return {
        "code_version": __version__,
        "torch_version": str(torch.__version__),
        "ray_version": ray.__version__,
        "contract_version": CONTRACT_VERSION,
        "split": job.config.split.model_dump(mode="json"),
        "datasets": fingerprints(job.processed_dir, job.names),
        "order": list(job.names) if data.legs else None,
        "objective": job.config.objective.kind,
        "train_windows": data.windows,
        "val_windows": sum(counts[name] for name in job.names) - data.windows,
        "device": placement.device,
        "backend": placement.backend,
        "workers": worker.world,
        "threads": placement.threads,
        "load_mode": plan.mode,
        "cuts": cuts(job.processed_dir, job.names) if plan.mode == "streaming" else {},
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
    }
