"""One piece of windows -> one Parquet file of embeddings. Pure torch and Arrow; no Ray.

Equal windows are embedded once: of real records, half to nearly all are copies of another one.
"""

import time
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from jepa_ray.corpus import densify
from jepa_ray.errors import CheckpointError, CorpusError
from jepa_ray.evaluate.embed_input import Piece
from jepa_ray.model import ScheduleJEPA, autocast
from jepa_ray.storage import atomic_writer, store_faults
from jepa_ray.windows import SLOTS, SparseWindows, sparse_windows

Floats = NDArray[np.float32]

PIECE_ROWS = 1 << 14
"""Windows of a piece: 4 MB of embeddings."""

SLOT_PIECE_ROWS = 1 << 12
"""The same with an embedding a slot: 100 MB."""

_SLOT_GROUP_ROWS = 1 << 10  # of a row group: 25 MB, which is what a piece then holds in memory


@dataclass(frozen=True)
class Work:
    """How all pieces of a run are embedded.

    Attributes:
        schema: Of the files, see `embedding_schema`.
        per_slot: Whether every slot gets an embedding too.
        batch_size: Dense windows at a time.
        device: Where the model lies.
        precision: See `EmbedConfig`.
    """

    schema: pa.Schema
    per_slot: bool
    batch_size: int
    device: str
    precision: Literal["auto", "fp32", "bf16"]


class Done(NamedTuple):
    """A piece that is written: its windows, and the CPU seconds that it took."""

    rows: int
    cpu_seconds: float


def embedding_schema(width: int, *, per_slot: bool, about: dict[str, str]) -> pa.Schema:
    """Columns of the files: a row a window.

    Args:
        width: d_model of the checkpoint.
        per_slot: Adds `slots`: the 96 embeddings one after the other, slot by slot.
        about: Where they come from; becomes metadata, keys prefixed by `jepa_ray.`.
    """
    fields = [
        pa.field("window_uid", pa.uint64(), nullable=False),
        pa.field("dataset", pa.string()),
        pa.field("window_start", pa.timestamp("us")),
        pa.field("actor", pa.uint64()),
        pa.field("embedding", _vector(width), nullable=False),
    ]
    if per_slot:
        fields.append(pa.field("slots", _vector(SLOTS * width), nullable=False))
    return pa.schema(fields, {f"jepa_ray.{key}": value for key, value in about.items()})


def _vector(width: int) -> pa.DataType:
    return pa.list_(pa.field("item", pa.float32(), nullable=False), width)


def write_piece(model: ScheduleJEPA, piece: Piece, url: str, work: Work) -> Done:
    """Embed a piece and write its file, whole or not at all; the same bytes each time on a CPU.

    Args:
        model: In eval mode, on the device of `work`.
        piece: What to embed.
        url: Path or URL of the file.
        work: How.

    Raises:
        CorpusError: A part is missing or damaged, or holds what is no window.
        CheckpointError: An embedding is not finite.
        StageError: A disk or an object store fails.
    """
    began = time.process_time()
    table = piece.read()
    rows = _SLOT_GROUP_ROWS if work.per_slot else len(table)
    with (
        store_faults(f"writing {url}", "the same command again goes on"),
        atomic_writer(url) as file,
        pq.ParquetWriter(
            file, work.schema, compression="zstd", use_dictionary=["dataset"],
            write_statistics=["window_start"],
        ) as writer,
    ):  # fmt: skip
        for start in range(0, len(table), rows):
            writer.write_table(_embedded(model, table.slice(start, rows), piece, work))
    return Done(len(table), time.process_time() - began)


def _embedded(model: ScheduleJEPA, table: pa.Table, piece: Piece, work: Work) -> pa.Table:
    windows = sparse_windows(table["runs"])
    _require_windows(windows, piece)
    chosen, place = distinct(windows)
    vectors = embed_sparse(model, windows.take(chosen), work)
    if not all(np.isfinite(v).all() for v in vectors):
        raise CheckpointError(
            f"{piece.spans[0].part.url}: an embedding of its windows is not finite; "
            "the checkpoint's weights are too large, or precision=bf16 too coarse: try fp32"
        )
    columns = [
        table["window_uid"],
        pa.repeat(pa.scalar(piece.dataset, pa.string()), len(table)),
        table["window_start"],
        table["actor"],
        *(_lists(values[place], work.schema.field(4 + i)) for i, values in enumerate(vectors)),
    ]
    return pa.table(columns, schema=work.schema)


def distinct(windows: SparseWindows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One window of each kind.

    Returns:
        Rows of windows that differ, ascending; and for each window its place among these. Two of
        equal content hash that are not equal are told apart.
    """
    _, first, place = np.unique(windows.fingerprints(), return_index=True, return_inverse=True)
    order = np.argsort(first)
    chosen, place = first[order], np.argsort(order)[place]
    copied = windows.take(chosen[place])
    same = np.array_equal(windows.offsets, copied.offsets) and all(
        np.array_equal(a.view(np.uint8), b.view(np.uint8))
        for a, b in (
            (windows.first, copied.first), (windows.last, copied.last),
            (np.ascontiguousarray(windows.values), copied.values),
        )
    )  # fmt: skip
    if same:
        return chosen, place
    rows = np.arange(len(windows))
    return rows, rows


def embed_sparse(model: ScheduleJEPA, windows: SparseWindows, work: Work) -> list[Floats]:
    """Embed n windows, batch by batch.

    Returns:
        Float32 (n, d_model) and, with `per_slot`, float32 (n, 96 * d_model).
    """
    n, width = len(windows), model.config.d_model
    sizes = [width, SLOTS * width] if work.per_slot else [width]
    out = [np.empty((n, size), np.float32) for size in sizes]
    device = torch.device(work.device)
    with torch.inference_mode(), autocast(work.precision, device):
        for start in range(0, n, work.batch_size):
            rows = np.arange(start, min(start + work.batch_size, n))
            x = densify(windows.take(rows), device)
            if work.per_slot:
                slots = model.embed_slots(x)  # [B, 96, D]
                out[1][rows] = slots.flatten(1).cpu().numpy()
                out[0][rows] = slots.mean(dim=1).cpu().numpy()
            else:
                out[0][rows] = model.embed(x).cpu().numpy()
    return out


def _lists(values: Floats, field: pa.Field) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), type=field.type)


def _require_windows(windows: SparseWindows, piece: Piece) -> None:
    """Bare files may hold anything in the columns of windows."""
    counts = np.diff(windows.offsets)
    inside = windows.last < SLOTS
    ordered = windows.first <= windows.last
    owner = np.repeat(np.arange(len(windows)), counts)
    apart = (owner[1:] != owner[:-1]) | (windows.first[1:] > windows.last[:-1])
    finite = np.isfinite(windows.values)
    if not (inside.all() and ordered.all() and apart.all() and finite.all()):
        places = ", ".join(dict.fromkeys(span.part.url for span in piece.spans))
        raise CorpusError(
            f"{places}: a window has runs outside slots 0 to 95, runs that overlap, or a value "
            "that is not finite; write these windows again"
        )
