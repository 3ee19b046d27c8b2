"""Shards -> raw blocks -> reports, on Ray Data.

Two ways, and the same windows. Where there are shards enough for all cores (or little to do), each
is read, parsed and written by one task: nothing but reports travels. Where there are few, one task
a shard decompresses and cuts (cheap), and many tasks parse, so that one unsplittable stream still
feeds all cores; then raw blocks travel through Ray, windows never.
"""

import logging
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pyarrow as pa
import ray.data
from ray.data import DataContext, Dataset
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from jepa_ray.adapters import Adapter, Shard, SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import StageError
from jepa_ray.prepare.block import (
    BlockReport,
    PartWriter,
    closing_table,
    process_block,
    raw_table,
)
from jepa_ray.readers import RawBlock, RawDefect

# A reading task mostly waits for room: with these shares n cores run n parsing tasks beside it,
# and one core still takes both. That they differ keeps Ray from fusing the two stages.
_READ_CPUS = 0.1
_PARSE_CPUS = 0.85
_LITTLE_BYTES = 16 << 20
_PIECE_BYTES = 8 << 20  # parsed at once: two of them fit a cache, and what a batch costs is spread
_PART_BLOCKS = 8  # raw blocks that a part comes from at most


@dataclass(frozen=True)
class Work:
    """What the tasks of one dataset need; travels to every worker."""

    adapter: type[Adapter]
    config: PrepareConfig
    target: str


@dataclass(frozen=True)
class KeyedShard:
    """A shard with the key that names what is made of it.

    Attributes:
        unreadable: Indices of its files that could not be read when the run was planned.
    """

    shard: Shard
    key: str
    unreadable: frozenset[int] = frozenset()


Task = Callable[[Work, KeyedShard], Iterator[pa.Table]]
MapTask = Callable[[pa.Table], Iterator[pa.Table]]
Writer = TypeVar("Writer", bound=PartWriter)


class ShardDatasource(Datasource):  # type: ignore[misc] # ray has no types
    """One read task a shard; a task is a generator of tables of bounded size.

    Args:
        work: What all tasks need.
        shards: What to read.
        task: What becomes of one.
        shown: The name of its operator and tasks in the dashboard, after Ray's `Read`.
    """

    def __init__(self, work: Work, shards: list[KeyedShard], task: Task, shown: str) -> None:
        super().__init__()
        self._shown = shown
        self._work = work
        self._shards = shards
        self._task = task

    def get_name(self) -> str:
        """Shown in the dashboard."""
        return self._shown

    def estimate_inmemory_data_size(self) -> int | None:
        """Not known: the content is compressed."""
        return None

    def get_read_tasks(
        self,
        parallelism: int,  # noqa: ARG002 - a shard is a task
        per_task_row_limit: int | None = None,  # noqa: ARG002
        data_context: DataContext | None = None,  # noqa: ARG002
    ) -> list[ReadTask]:
        """One task a shard, in order."""
        return [
            ReadTask(
                partial(self._task, self._work, shard),
                BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None),
            )
            for shard in self._shards
        ]


def run(work: Work, shards: list[KeyedShard], *, cpus: int) -> Iterator[BlockReport]:
    """Prepare some shards; yields reports as blocks finish, in any order. Needs a Ray session.

    Args:
        work: What all tasks need.
        shards: What to read.
        cpus: Of the cluster; decides which of the two ways is taken.
    """
    with DataContext.current(quiet_context(work)):
        if goes_whole(shards, cpus):
            reports = whole_shards(work, shards, prepare_shard, "parse and write")
        else:
            reports = _split_shards(work, shards)
        reports.set_name(f"prepare_{work.adapter.info.dataset}")
        for batch in reports.iter_batches(batch_size=None, batch_format="pyarrow"):
            for data in batch["report"].to_pylist():
                yield BlockReport.loads(data)


def quiet_context(work: Work) -> DataContext:
    """Ray Data's settings for this work."""
    # Ray Data sets its own level on import. A failure reaches us as an exception; logged, it would
    # come with a traceback that can quote a record.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = DataContext.get_current().copy()
    context.target_max_block_size = work.config.raw_block_bytes
    context.enable_progress_bars = False
    return context


def goes_whole(shards: list[KeyedShard], cpus: int) -> bool:
    """Whether a task reads and parses a shard: there is little to do, or shards for all cores."""
    little = sum(file.bytes for s in shards for file in s.shard.files) <= _LITTLE_BYTES
    return little or len(shards) >= 2 * cpus


def whole_shards(work: Work, shards: list[KeyedShard], task: Task, does: str) -> Dataset:
    """A task a shard, which does all: `does` says what beside reading."""
    shown = f", {does} {work.adapter.info.dataset}"
    return ray.data.read_datasource(
        ShardDatasource(work, shards, task, shown),
        override_num_blocks=len(shards),
        num_cpus=1,
        concurrency=work.config.parse_tasks,
    )


def _split_shards(work: Work, shards: list[KeyedShard]) -> Dataset:
    keys = {s.shard.index: s.key for s in shards}
    shown = f"parse and write {work.adapter.info.dataset}"
    parse = named(shown, partial(parse_and_write, work=work, keys=keys))
    return parsed_blocks(work, shards, parse)


def parsed_blocks(work: Work, shards: list[KeyedShard], parse: MapTask) -> Dataset:
    """A task a shard cuts it into raw blocks, and as many tasks as there is room for parse them."""
    # Ray Data reserves a quarter of the cores for this stage, or what its tasks can use at most:
    # without a bound, what few readers leave of a quarter would lie idle until they end.
    blocks = ray.data.read_datasource(
        ShardDatasource(work, shards, read_shard, f" {work.adapter.info.dataset}"),
        override_num_blocks=len(shards),
        num_cpus=_READ_CPUS,
        concurrency=min(work.config.read_tasks or len(shards), len(shards)),
    )
    return blocks.map_batches(
        parse,
        batch_size=None,
        batch_format="pyarrow",
        zero_copy_batch=True,
        num_cpus=_PARSE_CPUS,
        concurrency=work.config.parse_tasks,
    )


def named(shown: str, task: MapTask) -> MapTask:
    """A task that Ray Data calls so in the dashboard: it takes the name of the function."""

    def does(batch: pa.Table) -> Iterator[pa.Table]:
        yield from task(batch)

    does.__name__ = shown
    return does


def prepare_shard(work: Work, keyed: KeyedShard) -> Iterator[pa.Table]:
    """Read, parse and write a shard; a report of one row for each part."""
    for _, report in fill(PartWriter, work, keyed):
        yield _row(report)


def fill(kind: type[Writer], work: Work, keyed: KeyedShard) -> Iterator[tuple[Writer, BlockReport]]:
    """Read a shard into a writer; the writer and its report at each flush."""
    piece_bytes = min(work.config.raw_block_bytes, _PIECE_BYTES)
    adapter = work.adapter(work.config.model_copy(update={"raw_block_bytes": piece_bytes}))
    shard = keyed.shard
    writer = kind(adapter, shard.index, target=work.target, key=keyed.key, node=platform.node())
    for i, file in enumerate(shard.files):
        for block in _blocks(adapter, keyed, i):
            for report in writer.take(i, file.label, block):
                yield writer, report
            if writer.bytes >= _PART_BLOCKS * work.config.raw_block_bytes:
                yield writer, writer.flush()
    yield writer, writer.flush(writer.rows)


def parse_and_write(batch: pa.Table, work: Work, keys: dict[int, str]) -> Iterator[pa.Table]:
    """One raw block -> files and a report of one row for each part; of no rows: none."""
    if not batch.num_rows:
        return
    key = keys[batch["shard"][0].as_py()]
    adapter = work.adapter(work.config)
    for report in process_block(adapter, batch, target=work.target, key=key, node=platform.node()):
        yield _row(report)


def _row(report: BlockReport) -> pa.Table:
    return pa.table({"report": pa.array([report.dumps()], pa.large_binary())})


def read_shard(work: Work, keyed: KeyedShard) -> Iterator[pa.Table]:
    """The raw blocks of a shard, and the row that closes it."""
    adapter = work.adapter(work.config)
    shard = keyed.shard
    rows = 0
    for i, file in enumerate(shard.files):
        for block in _blocks(adapter, keyed, i):
            rows += len(block)
            yield raw_table(shard.index, i, file.label, block)
    yield closing_table(shard.index, rows)


def _blocks(adapter: Adapter, keyed: KeyedShard, index: int) -> Iterator[RawBlock]:
    """The raw blocks of a file; one with a defect, where the driver could not open it either."""
    file = keyed.shard.files[index]
    try:
        yield from adapter.blocks(file)
    except StageError as error:
        raise StageError(f"{file.label}: {error}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if not (index in keyed.unreadable or isinstance(error, IsADirectoryError)):
            raise StageError(_not_here(file, reason)) from None
        yield [RawDefect(1, "unreadable_file", f"the file cannot be read: {reason}")]


def _not_here(file: SourceFile, reason: str) -> str:
    return (
        f"node {platform.node()} cannot read {file.label} ({reason}), though the driver could: put "
        "the sources on object storage or on a disk that all nodes see, and let nothing move them"
    )
