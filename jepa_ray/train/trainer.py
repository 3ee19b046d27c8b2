"""The driver: one TorchTrainer fit, then the checkpoint in its place.

Ray keeps what is its own in `<run>/ray`; the run folder itself holds `schedule_jepa.pt`,
`config.yaml` and `metrics.jsonl`.
"""

import json
import logging
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch
import yaml
from ray import train as ray_train
from ray.train import Checkpoint, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer, get_device

from jepa_ray import __version__
from jepa_ray.checkpoint import FILE_NAME, save_checkpoint
from jepa_ray.cluster import session
from jepa_ray.config import TrainConfig
from jepa_ray.corpus import choose, load, prepared
from jepa_ray.errors import ConfigError, CorpusError, JepaRayError, TrainingError
from jepa_ray.model import ScheduleJEPA
from jepa_ray.storage import exists, join, local_path, write_bytes
from jepa_ray.train.device import Placement, place
from jepa_ray.train.loop import Worker, distribute, run_training
from jepa_ray.train.watch import Watch
from jepa_ray.windows import CONTRACT_VERSION

log = logging.getLogger(__name__)
METRICS_FILE = "metrics.jsonl"
_FEWEST_WINDOWS = 2

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind; the fields are the keys of `train --json`."""

    checkpoint: str
    steps: int
    train_loss: float
    val_loss: float
    skill: float
    rankme: float
    slot_std: float
    cosine_to_mean: float
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

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        dataset: `combined`, or names separated by commas.
        storage_path: Path or URL under which runs are kept.
        run_id: Name of this run; its folder must not hold a checkpoint yet.
        config: Settings.
        progress: Told each metrics row and, in between, step and loss.

    Raises:
        CorpusError: The windows are absent or cannot be split.
        ConfigError: The run exists, or the cluster cannot hold the workers.
        TrainingError: The training stopped.
    """
    names = choose(processed_dir, dataset)
    counts = prepared(processed_dir)
    if max(counts[name] for name in names) < _FEWEST_WINDOWS:
        raise CorpusError(
            f"{', '.join(names)}: a dataset needs {_FEWEST_WINDOWS} windows for one to be held "
            "out; prepare more data"
        )
    folder = join(_absolute(storage_path), run_id)
    if exists(join(folder, FILE_NAME)):
        raise ConfigError(
            f"{folder} already holds a checkpoint; choose another --run-id, or remove that folder"
        )
    job = {
        "processed_dir": _absolute(processed_dir),
        "names": names,
        "config": config.model_dump(mode="json"),
    }
    with session():
        found = ray.cluster_resources()
        placement = place(
            config.device,
            workers=config.workers,
            threads=config.threads,
            cpus=found.get("CPU", 0),
            gpus=found.get("GPU", 0),
        )
        log.info("training %s on %s", ", ".join(names), placement)
        began = time.monotonic()
        rows = _fit(job | {"placement": placement}, folder, placement, progress)
        seconds = time.monotonic() - began
    write_bytes(
        join(folder, "config.yaml"), yaml.safe_dump(job["config"], sort_keys=False).encode()
    )
    last = {k: v for k, v in rows[-1].items() if k not in ("step", "seconds")}
    return TrainResult(
        checkpoint=join(folder, FILE_NAME),
        steps=rows[-1]["step"],
        seconds=round(seconds, 3),
        device=placement.device,
        workers=placement.workers,
        **last,
    )


def _fit(
    job: dict[str, Any], folder: str, placement: Placement, progress: Progress
) -> list[dict[str, Any]]:
    """Run the fit, copy the checkpoint out of Ray's folder, return the metrics rows."""
    with Watch(progress) as watch:
        trainer = TorchTrainer(
            _worker_main,
            train_loop_config=job | {"watch": watch.name},
            torch_config=TorchConfig(backend=placement.backend),
            scaling_config=ScalingConfig(
                num_workers=placement.workers,
                use_gpu=placement.device == "cuda",
                resources_per_worker={"CPU": placement.threads}
                | ({"GPU": 1} if placement.device == "cuda" else {}),
            ),
            run_config=RunConfig(
                name=f"train-{uuid.uuid4().hex[:8]}", storage_path=join(folder, "ray")
            ),
        )
        try:
            result = trainer.fit()
        except ray_train.TrainingFailedError as error:
            raise _ours(error) from error
        except (SystemExit, ray.exceptions.RayActorError) as error:
            # Ray Train answers Ctrl-C by ending the fit, and then the process, without a word.
            raise KeyboardInterrupt from error
    if result.checkpoint is None:
        raise TrainingError(f"the training ended without a checkpoint; see {folder}/ray")
    with result.checkpoint.as_directory() as path:
        for name in (METRICS_FILE, FILE_NAME):  # the checkpoint last: it makes the run visible
            write_bytes(join(folder, name), (Path(path) / name).read_bytes())
        lines = (Path(path) / METRICS_FILE).read_text().splitlines()
    return [json.loads(line) for line in lines]


def _worker_main(job: dict[str, Any]) -> None:
    """What each Ray Train worker runs."""
    placement: Placement = job["placement"]
    config = TrainConfig.model_validate(job["config"])
    context = ray_train.get_context()
    torch.set_num_threads(placement.threads)
    device = get_device() if placement.device == "cuda" else torch.device("cpu")
    worker = Worker(context.get_world_rank(), context.get_world_size(), device)
    corpus = load(job["processed_dir"], job["names"], config.split)
    model = ScheduleJEPA(config.model, seed=config.seed).to(device)
    tell = Watch.teller(job["watch"])
    rows = run_training(model, distribute(model, worker), corpus, config, worker, tell)
    if worker.rank:
        ray_train.report({})
        return
    provenance = {
        "code_version": __version__,
        "torch_version": str(torch.__version__),
        "ray_version": ray.__version__,
        "contract_version": CONTRACT_VERSION,
        "split": config.split.model_dump(mode="json"),
        "datasets": corpus.fingerprints,
        "train_windows": sum(len(d.train) for d in corpus.datasets),
        "val_windows": sum(len(d.val) for d in corpus.datasets),
        "device": placement.device,
        "workers": placement.workers,
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
    }
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(folder, model, config, step=config.steps, provenance=provenance)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (Path(folder) / METRICS_FILE).write_text(text)
        ray_train.report({"val_loss": rows[-1]["val_loss"]}, checkpoint=Checkpoint(folder))


def _ours(error: Exception) -> JepaRayError:
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
        f"a training worker failed: {first[-1] if first else type(error).__name__}"
    )


def _absolute(url: str) -> str:
    """Ray workers have a working directory of their own."""
    path = local_path(url)
    return url if path is None else str(path.absolute())
