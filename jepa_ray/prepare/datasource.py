"""Shards -> raw blocks -> reports, on Ray Data.

One read task a shard decompresses and cuts (cheap); `num_cpus=0.99` keeps the parsing stage from
being fused with it, so one unsplittable stream still feeds many parsing tasks. Only raw blocks and
small reports travel through Ray: the windows are written where they are parsed.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import ray.data
from ray.data import DataContext
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from jepa_ray.adapters import Adapter, Shard
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.block import BlockReport, process_block, raw_table
from jepa_ray.readers import RawDefect

_PARSE_CPUS = 0.99


@dataclass(frozen=True)
class Work:
    """What the tasks of one dataset need; travels to every worker."""

    adapter: type[Adapter]
    config: PrepareConfig
    target: str
    key: str


class ShardDatasource(Datasource):  # type: ignore[misc] # ray has no types
    """One read task a shard; a task is a generator of raw blocks of bounded size."""

    def __init__(self, work: Work, shards: list[Shard]) -> None:
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


def run(work: Work, shards: list[Shard]) -> Iterator[BlockReport]:
    """Prepare all shards; yields reports as blocks finish, in any order. Needs a Ray session."""
    # Ray Data sets its own level on import. A failure reaches us as an exception; logged, it would
    # come with a traceback that can quote a record.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = DataContext.get_current().copy()
    context.target_max_block_size = work.config.raw_block_bytes
    context.enable_progress_bars = False
    with DataContext.current(context):
        dataset = ray.data.read_datasource(
            ShardDatasource(work, shards), override_num_blocks=len(shards)
        )
        dataset.set_name(f"prepare_{work.adapter.info.dataset}")
        reports = dataset.map_batches(
            parse_and_write,
            fn_args=(work,),
            batch_size=None,
            batch_format="pyarrow",
            zero_copy_batch=True,
            num_cpus=_PARSE_CPUS,
        )
        for batch in reports.iter_batches(batch_size=None, batch_format="pyarrow"):
            for data in batch["report"].to_pylist():
                yield BlockReport.loads(data)


def parse_and_write(batch: pa.Table, work: Work) -> Iterator[pa.Table]:
    """One raw block -> files and a report of one row; a batch of no rows gives none."""
    if not batch.num_rows:
        return
    report = process_block(work.adapter(work.config), batch, target=work.target, key=work.key)
    yield pa.table({"report": pa.array([report.dumps()], pa.large_binary())})


def _read_shard(work: Work, shard: Shard) -> Iterable[Any]:
    adapter = work.adapter(work.config)
    for i, file in enumerate(shard.files):
        try:
            for block in adapter.blocks(file):
                yield raw_table(shard.index, i, file.label, block)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            defect = RawDefect(1, "unreadable_file", f"the file cannot be read: {reason}")
            yield raw_table(shard.index, i, file.label, [defect])
