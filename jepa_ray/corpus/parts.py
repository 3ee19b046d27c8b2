"""Reading the Parquet parts of prepared datasets, a few thousand rows at a time.

A local part is memory-mapped. One of an object store is fetched whole by threads, some parts ahead
of the one being read: prepare writes parts of at most 65,536 windows, about 2 MB, of one row group.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.errors import CorpusError
from jepa_ray.storage import client_failures, join, local_path, read_bytes, resolve, store_faults
from jepa_ray.windows import WINDOW_SCHEMA, Manifest

_AHEAD = 8
_BATCH = 1 << 13  # decoded at once: little memory, and it stays in the cache
_WHOLE_BYTES = 32 << 20  # a larger part of an object store is read by ranges
_RUNS_LEAF = "runs.list.element.first"


class Part(NamedTuple):
    """One file: its URL, its dataset, and what the manifest says it holds."""

    url: str
    dataset: str
    rows: int
    bytes: int


class RowGroup(NamedTuple):
    """One row group of a part: its place there, its windows and at most so many runs."""

    part: Part
    ordinal: int
    rows: int
    runs: int


def parts_of(folder: str, manifest: Manifest) -> list[Part]:
    """The parts that a manifest lists, in its order; CorpusError when there is none."""
    parts = [
        Part(
            join(folder, "windows", part["name"]), manifest["dataset"], part["rows"], part["bytes"]
        )
        for part in manifest["parts"]
    ]
    if not parts:
        raise CorpusError(f"{folder} holds no windows: there is nothing to train on")
    return parts


class PartReader:
    """Reads parts in a given order.

    An object of this class is used by one thread; those that it has fetch, and do nothing else.
    """

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._coming: dict[Part, Future[bytes]] = {}

    def expect(self, parts: Iterable[Part]) -> None:
        """Begin to fetch what will be read next; does nothing for local parts."""
        for part in parts:
            if _is_fetched(part) and part not in self._coming:
                self._threads = self._threads or ThreadPoolExecutor(_AHEAD, "parts")
                self._coming[part] = self._threads.submit(_fetch, part)

    def forget(self) -> None:
        """Drop what was fetched and not read."""
        for future in self._coming.values():
            future.cancel()
        self._coming.clear()

    def scan(
        self, parts: Sequence[Part], columns: list[str]
    ) -> Iterator[tuple[RowGroup, pa.Table]]:
        """Some parts whole, with these columns, in order: as `read`.

        Raises:
            CorpusError: A part is missing, damaged, of another form or length.
            StageError: An object store fails.
        """
        return self.read(dict.fromkeys(parts), columns)

    def read(
        self, wanted: Mapping[Part, Sequence[int] | None], columns: list[str]
    ) -> Iterator[tuple[RowGroup, pa.Table]]:
        """Row groups with these columns, in order, each in batches of up to 8,192 rows.

        Args:
            wanted: Places of the row groups in each part; None: all of them.
            columns: Names of columns.

        Yields:
            The row group, and the next of its rows. One without rows gives nothing.

        Raises:
            CorpusError: A part is missing, damaged, of another form or length.
            StageError: An object store fails.
        """
        order = list(wanted)
        for place, part in enumerate(order):
            self.expect(order[place : place + _AHEAD])
            coming = self._coming.pop(part, None)
            with _opened(part, coming, columns) as file:
                ordinals = wanted[part]
                for i in range(file.num_row_groups) if ordinals is None else ordinals:
                    group = _row_group(part, file, i)
                    for batch in file.iter_batches(
                        _BATCH, row_groups=[i], columns=columns, use_threads=False
                    ):
                        yield group, pa.Table.from_batches([batch])


def whole(parts: Sequence[Part], columns: list[str]) -> pa.Table:
    """All rows of some parts in one table; raises as `PartReader.read`."""
    tables = [table for _, table in PartReader().scan(parts, columns)]
    return pa.concat_tables([WINDOW_SCHEMA.empty_table().select(columns), *tables])


def _row_group(part: Part, file: pq.ParquetFile, ordinal: int) -> RowGroup:
    group = file.metadata.row_group(ordinal)
    leaves = (group.column(i) for i in reversed(range(group.num_columns)))
    runs = next(leaf.num_values for leaf in leaves if leaf.path_in_schema == _RUNS_LEAF)
    return RowGroup(part, ordinal, group.num_rows, runs)


def _is_fetched(part: Part) -> bool:
    return local_path(part.url) is None and part.bytes <= _WHOLE_BYTES


def _fetch(part: Part) -> bytes:
    with store_faults(f"reading {part.url}", passing=(FileNotFoundError,)):
        return read_bytes(part.url)


@contextmanager
def _opened(
    part: Part, coming: Future[bytes] | None, columns: list[str]
) -> Iterator[pq.ParquetFile]:
    """A part, checked for form and length; what pyarrow says of it becomes a CorpusError."""
    try:
        with client_failures(f"reading {part.url}"), _parquet(part, coming) as file:
            _check(part, file, columns)
            yield file
    except (OSError, pa.ArrowException) as error:  # pyarrow says OSError of damaged pages
        raise _damaged(part, type(error).__name__) from None


def _parquet(part: Part, coming: Future[bytes] | None) -> pq.ParquetFile:
    if coming is not None:
        return pq.ParquetFile(pa.BufferReader(coming.result()))
    path = local_path(part.url)
    if path is not None:
        return pq.ParquetFile(str(path), memory_map=True)
    fs, remote = resolve(part.url)
    return pq.ParquetFile(remote, filesystem=fs)


def _check(part: Part, file: pq.ParquetFile, columns: list[str]) -> None:
    for name in {*columns, "runs"}:
        place = file.schema_arrow.get_field_index(name)
        found: Any = file.schema_arrow.field(place).type if place >= 0 else "absent"
        if found != WINDOW_SCHEMA.field(name).type:
            raise _damaged(part, f"its column {name} is {found}")
    if file.metadata.num_rows != part.rows:
        raise CorpusError(
            f"{part.url} has {file.metadata.num_rows} windows, its manifest says {part.rows}; "
            f"prepare {part.dataset} again"
        )


def _damaged(part: Part, reason: str) -> CorpusError:
    return CorpusError(f"{part.url} is missing or damaged ({reason}); prepare {part.dataset} again")
