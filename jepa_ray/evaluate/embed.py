"""`embed`: a checkpoint and windows -> a Parquet table of embeddings.

The driver: plans the pieces, has those done that are not there yet, and makes all visible at once.
Few windows are embedded in this process, more on Ray Data (embed_ray.py); both write the same.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from jepa_ray.cluster import is_local, session
from jepa_ray.config import EmbedConfig
from jepa_ray.errors import ConfigError
from jepa_ray.evaluate.embed_input import Piece
from jepa_ray.evaluate.embed_job import Device, Job, describe, make_job, unfinished
from jepa_ray.evaluate.embed_output import Document, Staging, refuse_taken, settled
from jepa_ray.evaluate.embed_piece import Done, write_piece
from jepa_ray.evaluate.threads import torch_threads
from jepa_ray.storage import absolute
from jepa_ray.windows import utc_now

log = logging.getLogger(__name__)
_RAY_FROM = {"cpu": 20_000, "cuda": 1_000_000}
Progress = Callable[[int, int], None]
"""Told (windows so far, of how many)."""


@dataclass(frozen=True)
class EmbedResult:
    """What a run came to: the document of `_embeddings.json`, and whether it was there before."""

    document: Document
    unchanged: bool

    def public(self) -> Document:
        """`embed --json`: the document without its list of files."""
        shown = {k: v for k, v in self.document.items() if k not in ("parts", "key")}
        return shown | {"files": len(self.document["parts"]), "unchanged": self.unchanged}


def embed_windows(
    checkpoint: str,
    windows: str,
    output: str,
    *,
    per_slot: bool = False,
    overwrite: bool = False,
    config: EmbedConfig | None = None,
    progress: Progress = lambda _windows, _total: None,
) -> EmbedResult:
    """Embed all windows at a place; see docs/embeddings.md for the table.

    Args:
        checkpoint: Path or URL of a `schedule_jepa.pt` or its folder.
        windows: Path or URL of a processed folder, of one dataset in it, or of Parquet files of
            windows.
        output: Path or URL of the table, a folder; the same checkpoint, windows and settings again
            find it and do nothing.
        per_slot: Write the embedding of each slot too.
        overwrite: Replace embeddings that are there.
        config: Where and how to compute; None: the defaults.
        progress: Called as files are written.

    Raises:
        CheckpointError: The checkpoint cannot be loaded, or an embedding is not finite.
        CorpusError: There are no windows, or they are damaged or of another form or contract.
        UsageError: The output is taken, or cannot be written to.
        ConfigError: CUDA is asked for and not there, or no worker fits into the cluster.
        StageError: A store failed, or workers were lost; the same command again goes on.
    """
    config = config or EmbedConfig()
    output = absolute(output)
    here = _local_device(config.device)
    job = make_job(checkpoint, windows, config, per_slot=per_slot)
    staging = Staging(output)
    before = settled(output, job.key)
    if before is not None:
        return _unchanged(staging, before)
    refuse_taken(output, overwrite=overwrite)
    with staging.held():
        before = settled(output, job.key)  # again: another run may have ended until now
        if before is not None:
            return _unchanged(staging, before)
        refuse_taken(output, overwrite=overwrite)
        began, started = time.monotonic(), utc_now()
        device, cpu_seconds = _work_off(job, staging, here, progress)
        seconds = round(time.monotonic() - began, 3)
        document = describe(job, staging, device) | {
            "started_utc": started,
            "ended_utc": utc_now(),
            "seconds": seconds,
            "cpu_seconds": round(cpu_seconds, 3),
        }
        staging.publish(document)
    return EmbedResult(document, unchanged=False)


def _unchanged(staging: Staging, before: Document) -> EmbedResult:
    staging.forget()
    return EmbedResult(before, unchanged=True)


def _work_off(
    job: Job, staging: Staging, here: Device | None, progress: Progress
) -> tuple[Device, float]:
    """Write all files that are not there yet; the device that did, and the CPU seconds of it."""
    limit = _RAY_FROM[here or "cpu"] if job.config.ray_from is None else job.config.ray_from
    with ExitStack() as stack:
        device, work_off = here, _in_process
        if device is None or job.given.windows >= limit:
            stack.enter_context(session(num_cpus=job.config.num_cpus, about=job.shown()))
            from jepa_ray.evaluate.embed_ray import cluster_device  # noqa: PLC0415 - imports ray

            device, work_off = cluster_device(job.config.device), _on_ray
        todo = unfinished(job, staging, device)
        windows = job.given.windows - sum(piece.rows for piece, _ in todo)
        if windows:
            log.info("%d of %d windows were embedded before", windows, job.given.windows)
        spent = 0.0
        for done in work_off(job, todo, device) if todo else ():
            windows += done.rows
            spent += done.cpu_seconds
            progress(windows, job.given.windows)
    return device, spent


def _local_device(wanted: str) -> Device | None:
    """Where this process may compute; None where only the cluster may have what is wanted.

    Raises:
        ConfigError: CUDA is wanted, and there is none here and no cluster.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        if is_local():
            raise ConfigError("device=cuda, but torch sees no CUDA device; set device=auto or cpu")
        return None
    return "cuda" if there and wanted != "cpu" else "cpu"


def _in_process(job: Job, todo: list[tuple[Piece, str]], device: Device) -> Iterator[Done]:
    work = job.work(device)
    with torch_threads(job.config.threads):
        model = job.found.model.to(device)
        for piece, url in todo:
            yield write_piece(model, piece, url, work)


def _on_ray(job: Job, todo: list[tuple[Piece, str]], device: Device) -> Iterator[Done]:
    from jepa_ray.evaluate.embed_ray import on_ray, pool  # noqa: PLC0415 - imports ray

    config = job.config
    workers = pool(device, workers=config.workers, threads=config.threads, pieces=len(todo))
    log.info("embedding on %d worker(s) on %s", workers.workers, device)
    yield from on_ray(job.found.model, todo, job.work(device), workers)
