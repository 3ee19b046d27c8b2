"""`embed`: a checkpoint and windows -> a Parquet table of embeddings.

The driver: plans the pieces, has those done that are not there yet, and makes all visible at once.
Few windows are embedded in this process, more on Ray Data (embed_ray.py); both write the same.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import torch

import jepa_ray
from jepa_ray.checkpoint import Checkpoint, load_checkpoint
from jepa_ray.cluster import is_local, session
from jepa_ray.config import EmbedConfig
from jepa_ray.errors import ConfigError
from jepa_ray.evaluate.embed_input import Given, Piece, cut, open_input
from jepa_ray.evaluate.embed_output import Document, Staging, part_name, refuse_taken, settled
from jepa_ray.evaluate.embed_piece import (
    PIECE_ROWS,
    SLOT_PIECE_ROWS,
    Done,
    Work,
    embedding_schema,
    write_piece,
)
from jepa_ray.evaluate.threads import torch_threads
from jepa_ray.storage import absolute, join, read_bytes
from jepa_ray.windows import CONTRACT_VERSION, utc_now

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
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


@dataclass(frozen=True)
class _Job:
    """What is wanted.

    Attributes:
        content: Of the checkpoint's file, as a hash.
        key: Of all that decides the output but the device.
    """

    found: Checkpoint
    content: str
    given: Given
    pieces: list[Piece]
    config: EmbedConfig
    per_slot: bool
    key: str

    def names(self, device: str) -> list[str]:
        """Of the files, in order; they follow from checkpoint, windows, settings and device."""
        return [
            part_name(i, _digest(self.content, self._settings(), device, piece))
            for i, piece in enumerate(self.pieces)
        ]

    def _settings(self) -> str:
        return _settings(self.config, per_slot=self.per_slot)


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
    job = _job(checkpoint, windows, config, per_slot=per_slot)
    staging = Staging(output)
    before = settled(output, job.key)
    if before is not None:
        log.info("%s holds just these embeddings, nothing to do", output)
        staging.forget()
        return EmbedResult(before, unchanged=True)
    refuse_taken(output, overwrite=overwrite)
    with staging.held():
        began, started = time.monotonic(), utc_now()
        device, cpu_seconds = _work_off(job, staging, here, progress)
        seconds = round(time.monotonic() - began, 3)
        document = _document(job, staging, device) | {
            "started_utc": started,
            "ended_utc": utc_now(),
            "seconds": seconds,
            "cpu_seconds": round(cpu_seconds, 3),
        }
        staging.publish(document)
    log.info("%s: %d windows in %.1f s", output, job.given.windows, seconds)
    return EmbedResult(document, unchanged=False)


def _job(checkpoint: str, windows: str, config: EmbedConfig, *, per_slot: bool) -> _Job:
    found = load_checkpoint(checkpoint)
    content = hashlib.sha256(read_bytes(found.url)).hexdigest()
    given = open_input(windows)
    pieces = cut(given, config.file_windows or (SLOT_PIECE_ROWS if per_slot else PIECE_ROWS))
    settings = _settings(config, per_slot=per_slot)
    key = _digest(content, settings, pieces)
    return _Job(found, content, given, pieces, config, per_slot, key)


def _settings(config: EmbedConfig, *, per_slot: bool) -> str:
    return (
        f"format {FORMAT_VERSION} code {jepa_ray.__version__} contract {CONTRACT_VERSION} "
        f"batch {config.batch_size} {config.precision} slots {per_slot}"
    )


def _digest(*parts: Any) -> str:
    """Of plain values and pieces; where a file lies does not enter, what it holds does."""
    text = "\n".join(_said(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _said(part: Any) -> str:
    if isinstance(part, Piece):
        return f"{part.dataset} {[(s.mark, s.group, s.start, s.stop) for s in part.spans]}"
    return "\n".join(map(_said, part)) if isinstance(part, list) else str(part)


Device = Literal["cpu", "cuda"]


def _work_off(
    job: _Job, staging: Staging, here: Device | None, progress: Progress
) -> tuple[Device, float]:
    """Write all files that are not there yet; the device that did, and the CPU seconds of it."""
    limit = _RAY_FROM[here or "cpu"] if job.config.ray_from is None else job.config.ray_from
    with ExitStack() as stack:
        if here and job.given.windows < limit:
            todo = _Todo(job, staging, here)
            done = _in_process(job, todo)
        else:
            stack.enter_context(session(num_cpus=job.config.num_cpus))
            from jepa_ray.evaluate.embed_ray import cluster_device  # noqa: PLC0415 - imports ray

            here = "cuda" if cluster_device(job.config.device) == "cuda" else "cpu"
            todo = _Todo(job, staging, here)
            done = _on_ray(job, todo)
        windows = job.given.windows - sum(piece.rows for piece, _ in todo.orders)
        if windows:
            log.info("%d of %d windows were embedded before", windows, job.given.windows)
        spent = 0.0
        for piece in done:
            windows += piece.rows
            spent += piece.cpu_seconds
            progress(windows, job.given.windows)
    return here, spent


class _Todo:
    """The pieces that are not staged yet, with the URLs of their files; and how to do them."""

    def __init__(self, job: _Job, staging: Staging, device: Device) -> None:
        names = job.names(device)
        there = staging.keep(names)
        self.orders = [
            (piece, join(staging.folder, name))
            for piece, name in zip(job.pieces, names, strict=True)
            if name not in there
        ]
        schema = embedding_schema(
            job.found.config.model.d_model, per_slot=job.per_slot, about=_about(job)
        )
        config = job.config
        self.work = Work(schema, job.per_slot, config.batch_size, device, config.precision)


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


def _in_process(job: _Job, todo: _Todo) -> Iterator[Done]:
    with torch_threads(job.config.threads):
        model = job.found.model.to(todo.work.device)
        for piece, url in todo.orders:
            yield write_piece(model, piece, url, todo.work)


def _on_ray(job: _Job, todo: _Todo) -> Iterator[Done]:
    from jepa_ray.evaluate.embed_ray import Order, on_ray, pool  # noqa: PLC0415 - imports ray

    if not todo.orders:
        return
    config = job.config
    workers = pool(
        todo.work.device, workers=config.workers, threads=config.threads, pieces=len(todo.orders)
    )
    log.info("embedding on %d worker(s) on %s", workers.workers, todo.work.device)
    orders = [Order(piece, url) for piece, url in todo.orders]
    yield from on_ray(job.found.model, orders, todo.work, workers)


def _about(job: _Job) -> dict[str, str]:
    """The metadata of the files."""
    return {
        "checkpoint": job.found.url,
        "checkpoint_sha256": job.content,
        "step": str(job.found.step),
        "seed": str(job.found.config.seed),
        "contract_version": str(CONTRACT_VERSION),
        "code_version": jepa_ray.__version__,
    }


def _document(job: _Job, staging: Staging, device: Device) -> Document:
    names = job.names(device)
    sizes = staging.sizes(names)
    counts: dict[str, int] = {}
    for piece in job.pieces:
        counts[piece.dataset or ""] = counts.get(piece.dataset or "", 0) + piece.rows
    return {
        "format_version": FORMAT_VERSION,
        "key": job.key,
        "output": staging.output,
        **_about(job),
        "step": job.found.step,
        "seed": job.found.config.seed,
        "contract_version": CONTRACT_VERSION,
        "input": job.given.url,
        "windows": job.given.windows,
        "datasets": {
            name: {"windows": counts[name], "fingerprint": fingerprint}
            for name, fingerprint in job.given.datasets.items()
            if name in counts
        },
        "d_model": job.found.config.model.d_model,
        "per_slot": job.per_slot,
        "batch_size": job.config.batch_size,
        "precision": job.config.precision,
        "device": device,
        "parts": [
            {"name": name, "rows": piece.rows, "bytes": sizes[name]}
            for name, piece in zip(names, job.pieces, strict=True)
        ],
    }
