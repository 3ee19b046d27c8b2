"""Windows as Arrow: the schema of `windows/part-*.parquet`, and back to arrays.

`runs` is one list of structs: Parquet shreds it into a column a feature, so constant features cost
nothing, and in memory its children are flat arrays.
"""

import numpy as np
import pyarrow as pa

from jepa_ray.windows.activity import NO_OFFSET, NO_TIME, Columns
from jepa_ray.windows.contract import CONTRACT_VERSION, STORED
from jepa_ray.windows.identity import window_uids
from jepa_ray.windows.sparse import SparseWindows, concat

RUN_TYPE = pa.struct(
    [pa.field("first", pa.uint8(), nullable=False), pa.field("last", pa.uint8(), nullable=False)]
    + [pa.field(name, pa.float32(), nullable=False) for name in STORED]
)

WINDOW_SCHEMA = pa.schema(
    [
        pa.field("window_uid", pa.uint64(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("window_kind", pa.string(), nullable=False),
        # Local wall clock: the record's own; null where it has no date.
        pa.field("window_start", pa.timestamp("us")),
        pa.field("window_end", pa.timestamp("us")),
        pa.field("utc_offset_minutes", pa.int16()),
        pa.field("timed", pa.bool_(), nullable=False),
        pa.field("due", pa.timestamp("us")),
        # Salted hashes; null for nobody and none.
        pa.field("actor", pa.uint64()),
        pa.field("project", pa.uint64()),
        pa.field("category", pa.string()),
        pa.field("metadata", pa.string()),
        pa.field("runs", pa.list_(pa.field("item", RUN_TYPE, nullable=False)), nullable=False),
    ],
    metadata={"jepa_ray.contract_version": str(CONTRACT_VERSION)},
)

_ROW_SCHEMA = WINDOW_SCHEMA.remove(WINDOW_SCHEMA.get_field_index("runs"))


def window_table(dataset: str, kind: str, columns: Columns, windows: SparseWindows) -> pa.Table:
    """Rows of `WINDOW_SCHEMA` for n activities and their n windows."""
    return with_runs(window_rows(dataset, kind, columns), windows)


def with_runs(rows: pa.Table, windows: SparseWindows) -> pa.Table:
    """The columns of `window_rows`, and the windows that belong to them."""
    return rows.append_column(WINDOW_SCHEMA.field("runs"), runs_array(windows)).cast(WINDOW_SCHEMA)


def window_rows(dataset: str, kind: str, columns: Columns) -> pa.Table:
    """All of `WINDOW_SCHEMA` but `runs`, for n activities."""
    n = len(columns)
    dated = columns.start_us != NO_TIME
    uids = window_uids(dataset, kind, columns.source_id, columns.start_us)
    arrays = [
        pa.array(uids),
        pa.array(columns.source_id, pa.string()),
        pa.repeat(pa.scalar(kind, pa.string()), n),
        _times(columns.start_us, dated),
        _times(columns.end_us, dated),
        pa.array(columns.offset_minutes, mask=columns.offset_minutes == NO_OFFSET),
        pa.array(columns.timed),
        _times(columns.due_us, columns.due_us != NO_TIME),
        pa.array(columns.actor, mask=columns.actor == 0),
        pa.array(columns.project, mask=columns.project == 0),
        pa.array(columns.category, pa.string()),
        pa.array(columns.metadata, pa.string()),
    ]
    return pa.table(arrays, schema=_ROW_SCHEMA)


def runs_array(windows: SparseWindows) -> pa.ListArray:
    """The `runs` column of n windows."""
    flat = [pa.array(windows.first), pa.array(windows.last)]
    flat += [pa.array(np.ascontiguousarray(column)) for column in windows.values.T]
    structs = pa.StructArray.from_arrays(flat, fields=list(RUN_TYPE))
    return pa.ListArray.from_arrays(
        pa.array(windows.offsets.astype(np.int32)), structs, type=WINDOW_SCHEMA.field("runs").type
    )


def sparse_windows(column: pa.ChunkedArray) -> SparseWindows:
    """The `runs` column of a table as arrays."""
    return concat([_chunk(chunk) for chunk in column.chunks])


def _chunk(chunk: pa.ListArray) -> SparseWindows:
    offsets = chunk.offsets.to_numpy().astype(np.int64)
    structs = chunk.values.slice(offsets[0], offsets[-1] - offsets[0])
    first, last, *features = structs.flatten()
    values = np.empty((len(first), len(STORED)), np.float32)
    for i, feature in enumerate(features):
        values[:, i] = feature.to_numpy()
    return SparseWindows(offsets - offsets[0], first.to_numpy(), last.to_numpy(), values)


def _times(us: np.ndarray, known: np.ndarray) -> pa.Array:
    if not known.any():
        return pa.nulls(len(us), pa.timestamp("us"))
    return pa.array(us, mask=~known).cast(pa.timestamp("us"))
