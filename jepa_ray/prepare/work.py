"""The unfinished shards of a dataset, worked off on Ray; each is marked as soon as it is whole."""

from collections import Counter
from collections.abc import Callable, Container

import ray
from ray.exceptions import RayError

from jepa_ray.config import PrepareConfig
from jepa_ray.errors import JepaRayError
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import BlockReport
from jepa_ray.prepare.datasource import KeyedShard, Work, run
from jepa_ray.prepare.fingerprint import UNREADABLE
from jepa_ray.prepare.marking import Marking
from jepa_ray.prepare.metrics import Meters
from jepa_ray.prepare.plan import Plan
from jepa_ray.storage import absolute

Progress = Callable[[str, int], None]
"""Told (dataset, records so far) whenever a block is done."""


class Tally:
    """The blocks of shards on their way; a shard is whole when all its rows have come back."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[BlockReport]] = {}
        self._rows: dict[int, int] = {}
        self._came: Counter[int] = Counter()

    def add(self, report: BlockReport) -> Account | None:
        """Take a block's report; the account of its shard once that is whole, else None."""
        blocks = self._blocks.setdefault(report.shard, [])
        blocks.append(report)
        self._came[report.shard] += report.rows
        if report.shard_rows is not None:
            self._rows[report.shard] = report.shard_rows
        if self._came[report.shard] != self._rows.get(report.shard):
            return None
        del self._blocks[report.shard], self._rows[report.shard], self._came[report.shard]
        return Account.merge([b.account for b in sorted(blocks, key=lambda b: b.place)])


def work_off(
    plan: Plan, config: PrepareConfig, done: dict[str, Account], progress: Progress
) -> str | None:
    """Prepare the shards that `done` lacks, and add each to it once it is marked. Needs Ray.

    Returns:
        Why not all of them were finished; None: they were.
    """
    shards = keyed_shards(plan, done)
    places = {shard.index: place for place, shard in enumerate(plan.shards)}
    records = sum(account.records.total() for account in done.values())
    work = Work(plan.adapter, config, absolute(plan.target))
    tally, nodes, meters = Tally(), set(), Meters(plan.dataset)
    try:
        with Marking(plan, done) as marking:
            for report in run(work, shards, cpus=int(ray.cluster_resources().get("CPU", 1))):
                records += report.account.records.total()
                nodes.add(report.node)
                meters.add(report)
                progress(plan.dataset, records)
                whole = tally.add(report)
                if whole:
                    marking.add(places[report.shard], whole, nodes)
    except (RayError, JepaRayError) as error:
        return f"a task failed after {records} records: {cause(error)}"
    return None


def keyed_shards(plan: Plan, done: Container[str] = ()) -> list[KeyedShard]:
    """The shards of a plan but those whose keys are in `done`."""
    marks = {file.label: mark for file, mark in plan.files}
    return [
        KeyedShard(
            shard,
            key,
            frozenset(i for i, f in enumerate(shard.files) if marks[f.label] == UNREADABLE),
        )
        for shard, key in zip(plan.shards, plan.keys, strict=True)
        if key not in done
    ]


def cause(error: Exception) -> str:
    """What broke a task; only our own messages are repeated, others may quote a record."""
    last: BaseException = error
    # Ray's own errors are of the class of their cause too, and quote a traceback.
    while isinstance(last, RayError) or not isinstance(last, JepaRayError):
        deeper = getattr(last, "cause", None) or last.__cause__
        if deeper is None:
            where = f" ({last.strerror})" if isinstance(last, OSError) else ""
            return f"{type(last).__name__}{where}; run again to go on from the finished shards"
        last = deeper
    return str(last)
