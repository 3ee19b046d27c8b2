"""`actor_day` windowing of a dataset on Ray Data: parse, shuffle by actor, combine and write.

    read (and cut) -> parse -> shuffle by partition -> a file of windows a partition

Parsing tasks send the runs of each actor's day on (see day_rows.py), so windows are made only where
all of a day have come together. Every task can run twice: what it writes follows from what it
reads. The shuffle is Ray Data's sort: its steps are tasks, what lies between them is in the object
store, which spills to disk, and no worker holds more than some partitions.
Why so: docs/decisions/0007-actor-day.md.
"""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import ray
from ray.data import DataContext
from ray.data.context import ShuffleStrategy
from ray.exceptions import RayError

from jepa_ray.config import PrepareConfig
from jepa_ray.errors import JepaRayError, StageError
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import process_rows
from jepa_ray.prepare.datasource import (
    KeyedShard,
    Work,
    fill,
    goes_whole,
    named,
    parsed_blocks,
    quiet_context,
    whole_shards,
)
from jepa_ray.prepare.day_rows import (
    DayWriter,
    PartitionReport,
    Report,
    report_row,
    reports_of,
    write_partitions,
)
from jepa_ray.prepare.marking import refuse_changed, refuse_lost
from jepa_ray.prepare.metrics import Meters
from jepa_ray.prepare.plan import Plan
from jepa_ray.prepare.work import (
    Progress,
    Tally,
    cause,
    keyed_shards,
)
from jepa_ray.storage import absolute

_PARTITION_BYTES = 16 << 20
_MAX_PARTITIONS = 4096


@dataclass(frozen=True)
class DayWork:
    """What the tasks of one dataset need.

    Attributes:
        work: What parsing needs.
        dataset: Its name, as it enters the uids.
        partitions: How many.
        key: By content; names the files.
    """

    work: Work
    dataset: str
    partitions: int
    key: str


def work_off_days(
    plan: Plan, config: PrepareConfig, progress: Progress
) -> tuple[Account, str | None]:
    """Prepare a whole dataset. Needs Ray.

    Returns:
        The account of all records, and why it is not whole (then it holds nothing); None: it is.
    """
    shards = keyed_shards(plan)
    work = Work(plan.adapter, config, absolute(plan.target))
    cpus = int(ray.cluster_resources().get("CPU", 1))
    partitions = config.actor_day_partitions or partition_count(shards)
    days = DayWork(work, plan.dataset, partitions, plan.fingerprint[:16])
    gathered, meters = Gathered(), Meters(plan.dataset)
    try:
        for report in _reports(days, shards, cpus):
            gathered.add(report)
            if not isinstance(report, PartitionReport):
                meters.add(report.block)
            progress(plan.dataset, gathered.records)
        account = gathered.account(len(shards))
        for place in range(len(shards)):
            refuse_changed(plan, place)
        refuse_lost(plan.target, account, gathered.nodes)
    except (RayError, JepaRayError) as error:
        return Account(), f"a task failed after {gathered.records} records: {cause(error)}"
    return account, None


def partition_count(shards: list[KeyedShard]) -> int:
    """How many partitions an input is cut into, by its bytes: the same on every machine."""
    total = sum(file.bytes for s in shards for file in s.shard.files)
    return min(1 + total // _PARTITION_BYTES, _MAX_PARTITIONS)


class Gathered:
    """What the tasks reported; whole when no row of any shard and no run got lost on the way."""

    def __init__(self) -> None:
        self.records = 0
        self.nodes: set[str] = set()
        self._tally = Tally()
        self._shards: dict[int, Account] = {}
        self._parts: dict[int, PartitionReport] = {}
        self._sent = 0

    def add(self, report: Report) -> None:
        """Take the report of a task.

        Raises:
            StageError: A partition came in two pieces, so some actor's day did.
        """
        if isinstance(report, PartitionReport):
            if report.partition in self._parts:
                raise StageError(f"partition {report.partition} came apart in the shuffle")
            self._parts[report.partition] = report
            return
        self._sent += report.runs
        self.records += report.block.account.records.total()
        self.nodes.add(report.block.node)
        whole = self._tally.add(report.block)
        if whole:
            self._shards[report.block.shard] = whole

    def account(self, shards: int) -> Account:
        """The account of all shards, with the files of all partitions.

        Raises:
            StageError: Something is missing.
        """
        came = sum(part.runs for part in self._parts.values())
        if len(self._shards) != shards or came != self._sent:
            raise StageError(
                f"{len(self._shards)} of {shards} shards and {came} of {self._sent} runs came "
                "through the shuffle; run again"
            )
        parts = [self._parts[number] for number in sorted(self._parts)]
        written = [Account(parts=(p.part,), statistics=p.statistics, activities=0) for p in parts]
        return Account.merge([*(self._shards[i] for i in sorted(self._shards)), *written])


def _reports(days: DayWork, shards: list[KeyedShard], cpus: int) -> Iterator[Report]:
    context = quiet_context(days.work)
    context.shuffle_strategy = ShuffleStrategy.SORT_SHUFFLE_PULL_BASED
    with DataContext.current(context):
        if goes_whole(shards, cpus):
            rows = whole_shards(days.work, shards, partial(send_shard, days), "parse and send")
        else:
            keys = {s.shard.index: s.key for s in shards}
            parse = partial(parse_and_send, days=days, keys=keys)
            shown = f"parse and send {days.work.adapter.info.dataset}"
            rows = parsed_blocks(days.work, shards, named(shown, parse))
        # Sorting never cuts between equal keys, and one block that comes out is one batch.
        written = rows.sort("partition").map_batches(
            named(f"combine and write {days.dataset}", partial(combine_and_write, days=days)),
            batch_size=None,
            batch_format="pyarrow",
            zero_copy_batch=True,
        )
        written.set_name(f"prepare_{days.dataset}")
        for batch in written.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield from reports_of(batch)


def send_shard(days: DayWork, _work: Work, keyed: KeyedShard) -> Iterator[pa.Table]:
    """Read and parse a shard; rows of `DAY_SCHEMA`."""
    for writer, report in fill(DayWriter, days.work, keyed):
        yield writer.rows_of(report, days.partitions)


def parse_and_send(batch: pa.Table, days: DayWork, keys: dict[int, str]) -> Iterator[pa.Table]:
    """One raw block -> rows of `DAY_SCHEMA`; a batch of no rows gives none."""
    if not batch.num_rows:
        return
    shard, work = batch["shard"][0].as_py(), days.work
    adapter = work.adapter(work.config)
    writer = DayWriter(adapter, shard, target=work.target, key=keys[shard], node=platform.node())
    for report in process_rows(writer, batch):
        yield writer.rows_of(report, days.partitions)


def combine_and_write(batch: pa.Table, days: DayWork) -> Iterator[pa.Table]:
    """All rows of some partitions -> their files, and reports as rows of `DAY_SCHEMA`."""
    stem = f"{days.key}-{days.partitions:04d}"
    for report in write_partitions(days.dataset, batch, target=days.work.target, stem=stem):
        yield report_row(report)
