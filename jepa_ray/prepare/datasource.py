"""Shards -> raw blocks -> reports, on Ray Data.

One read task a shard decompresses and cuts (cheap); `num_cpus=0.99` keeps the parsing stage from
being fused with it, so one unsplittable stream still feeds many parsing tasks. Only raw blocks and
small reports travel through Ray: the windows are written where they are parsed.
"""

import logging
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import ray.data
from ray.data import DataContext
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from jepa_ray.adapters import Adapter, Shard, SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import StageError
from jepa_ray.prepare.block import BlockReport, closing_table, process_block, raw_table
from jepa_ray.readers import RawDefect

# A reading task mostly waits for room: with these shares n cores run n parsing tasks beside it,
# and one core still takes both. That they differ keeps Ray from fusing the two stages.
_READ_CPUS = 0.1
_PARSE_CPUS = 0.85


@dataclass(frozen=True)
class Work:
    """What the tasks of one dataset need; travels to every worker."""

    adapter: type[Adapter]
    config: PrepareConfig
    target: str


@dataclass(frozen=True)
class KeyedShard:
    """A shard with the key that names what is made of it."""

    shard: Shard
    key: str


class ShardDatasource(Datasource):  # type: ignore[misc] # ray has no types
    """One read task a shard; a task is a generator of raw blocks of bounded size."""

    def __init__(self, work: Work, shards: list[KeyedShard]) -> None:
        super().__init__()
        self._work = work
        self._shards = shards

    def get_name(self) -> str:
        """Shown in the dashboard."""
        return f"{self._work.adapter.info.dataset}"

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
                partial(_read_shard, self._work, shard),
                BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None),
            )
            for shard in self._shards
        ]


def run(work: Work, shards: list[KeyedShard]) -> Iterator[BlockReport]:
    """Prepare some shards; yields reports as blocks finish, in any order. Needs a Ray session."""
    keys = {s.shard.index: s.key for s in shards}
    # Ray Data sets its own level on import. A failure reaches us as an exception; logged, it would
    # come with a traceback that can quote a record.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = DataContext.get_current().copy()
    context.target_max_block_size = work.config.raw_block_bytes
    context.enable_progress_bars = False
    with DataContext.current(context):
        dataset = ray.data.read_datasource(
            ShardDatasource(work, shards),
            override_num_blocks=len(shards),
            num_cpus=_READ_CPUS,
            concurrency=work.config.read_tasks,
        )
        dataset.set_name(f"prepare_{work.adapter.info.dataset}")
        reports = dataset.map_batches(
            parse_and_write,
            fn_args=(work, keys),
            batch_size=None,
            batch_format="pyarrow",
            zero_copy_batch=True,
            num_cpus=_PARSE_CPUS,
            concurrency=work.config.parse_tasks,
        )
        for batch in reports.iter_batches(batch_size=None, batch_format="pyarrow"):
            for data in batch["report"].to_pylist():
                yield BlockReport.loads(data)


def parse_and_write(batch: pa.Table, work: Work, keys: dict[int, str]) -> Iterator[pa.Table]:
    """One raw block -> files and a report of one row; a batch of no rows gives none."""
    if not batch.num_rows:
        return
    key = keys[batch["shard"][0].as_py()]
    adapter = work.adapter(work.config)
    report = process_block(adapter, batch, target=work.target, key=key, node=platform.node())
    yield pa.table({"report": pa.array([report.dumps()], pa.large_binary())})


def _read_shard(work: Work, keyed: KeyedShard) -> Iterable[Any]:
    adapter = work.adapter(work.config)
    shard = keyed.shard
    rows = 0
    for i, file in enumerate(shard.files):
        try:
            for block in adapter.blocks(file):
                rows += len(block)
                yield raw_table(shard.index, i, file.label, block)
        except OSError as error:
            if file.bytes and not file.path.exists():
                raise StageError(_not_here(file)) from None
            reason = error.strerror or type(error).__name__
            defect = RawDefect(1, "unreadable_file", f"the file cannot be read: {reason}")
            rows += 1
            yield raw_table(shard.index, i, file.label, [defect])
    yield closing_table(shard.index, rows)


def _not_here(file: SourceFile) -> str:
    return (
        f"node {platform.node()} has no {file.path}, though the driver has: put the sources on "
        "object storage or on a disk that all nodes see, or wait until nothing moves them"
    )
