"""What a run of `embed` is asked for, and the names and the document that follow from it."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import jepa_ray
from jepa_ray.checkpoint import Checkpoint, load_checkpoint
from jepa_ray.config import EmbedConfig
from jepa_ray.evaluate.embed_input import Given, Piece, cut, open_input
from jepa_ray.evaluate.embed_output import Document, Staging, part_name
from jepa_ray.evaluate.embed_piece import PIECE_ROWS, SLOT_PIECE_ROWS, Work, embedding_schema
from jepa_ray.storage import join, read_bytes
from jepa_ray.windows import CONTRACT_VERSION

FORMAT_VERSION = 1
Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Job:
    """What is wanted.

    Attributes:
        found: The checkpoint.
        content: Of its file, as a hash.
        given: The windows.
        pieces: The same, cut.
        config: Where and how to compute.
        per_slot: Whether every slot gets an embedding too.
    """

    found: Checkpoint
    content: str
    given: Given
    pieces: list[Piece]
    config: EmbedConfig
    per_slot: bool

    @property
    def key(self) -> str:
        """Of all that decides the output but the device."""
        return _digest(self.content, self._settings(), *self.pieces)

    def names(self, device: Device) -> list[str]:
        """Of the files, in order; they follow from checkpoint, windows, settings and device."""
        return [
            part_name(i, _digest(self.content, self._settings(), device, piece))
            for i, piece in enumerate(self.pieces)
        ]

    def work(self, device: Device) -> Work:
        """How the pieces are embedded."""
        width, config = self.found.config.model.d_model, self.config
        schema = embedding_schema(width, per_slot=self.per_slot, about=self.about())
        return Work(schema, self.per_slot, config.batch_size, device, config.precision)

    def about(self) -> dict[str, str]:
        """The metadata of the files."""
        return {
            "checkpoint": self.found.url,
            "checkpoint_sha256": self.content,
            "step": str(self.found.step),
            "seed": str(self.found.config.seed),
            "contract_version": str(CONTRACT_VERSION),
            "code_version": jepa_ray.__version__,
        }

    def shown(self) -> dict[str, str]:
        """The metadata of its Ray job: the folder of the checkpoint stands for the run."""
        run = self.found.url.rpartition("/")[0].rpartition("/")[2]
        return {"verb": "embed", "run_id": run, "dataset": ",".join(sorted(self.given.datasets))}

    def _settings(self) -> str:
        return (
            f"format {FORMAT_VERSION} code {jepa_ray.__version__} contract {CONTRACT_VERSION} "
            f"batch {self.config.batch_size} {self.config.precision} slots {self.per_slot}"
        )


def make_job(checkpoint: str, windows: str, config: EmbedConfig, *, per_slot: bool) -> Job:
    """Load the checkpoint and find the windows.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        CorpusError: There are no windows, or they are of another form or contract.
    """
    found = load_checkpoint(checkpoint)
    content = hashlib.sha256(read_bytes(found.url)).hexdigest()
    given = open_input(windows)
    pieces = cut(given, config.file_windows or (SLOT_PIECE_ROWS if per_slot else PIECE_ROWS))
    return Job(found, content, given, pieces, config, per_slot)


def unfinished(job: Job, staging: Staging, device: Device) -> list[tuple[Piece, str]]:
    """The pieces that are not staged yet, with the URLs of their files."""
    names = job.names(device)
    there = staging.keep(names)
    return [
        (piece, join(staging.folder, name))
        for piece, name in zip(job.pieces, names, strict=True)
        if name not in there
    ]


def describe(job: Job, staging: Staging, device: Device) -> Document:
    """`_embeddings.json` but for the times; StageError where a file is not staged."""
    names = job.names(device)
    sizes = staging.sizes(names)
    return {
        "format_version": FORMAT_VERSION,
        "key": job.key,
        "output": staging.output,
        **job.about(),
        "step": job.found.step,
        "seed": job.found.config.seed,
        "contract_version": CONTRACT_VERSION,
        "input": job.given.url,
        "windows": job.given.windows,
        "datasets": {
            name: {
                "windows": sum(piece.rows for piece in job.pieces if piece.dataset == name),
                "fingerprint": fingerprint,
            }
            for name, fingerprint in job.given.datasets.items()
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


def _digest(*parts: Any) -> str:
    """Of plain values and pieces; where a file lies does not enter, what it holds does."""
    said = "\n".join(_said(part) if isinstance(part, Piece) else str(part) for part in parts)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def _said(piece: Piece) -> str:
    return f"{piece.dataset} {[(s.mark, s.group, s.start, s.stop) for s in piece.spans]}"
