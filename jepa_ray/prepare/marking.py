"""Marks of finished shards, written beside the work: each is some requests to a store."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

from jepa_ray.errors import StageError
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.fingerprint import file_state
from jepa_ray.prepare.finished import finish, lost_files
from jepa_ray.prepare.plan import Plan
from jepa_ray.storage import local_path

_AT_ONCE = 16


class Marking:
    """Marks shards as finished; on leaving, all that were begun are marked.

    A shard that cannot be marked raises its error at the next call, or on leaving.
    """

    def __init__(self, plan: Plan, done: dict[str, Account]) -> None:
        """Into `done` goes the account of each shard, by its key, once it is marked."""
        self._plan = plan
        self._done = done
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._begun: dict[Future[None], tuple[str, Account]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        if error is None:
            self._settle()
            return
        with suppress(Exception):  # the first error is the one to tell
            self._settle()

    def add(self, place: int, whole: Account, nodes: set[str]) -> None:
        """Mark the shard at a place of the plan, by and by; it was written on these nodes."""
        self._settle()
        future = self._pool.submit(_mark, self._plan, place, whole, set(nodes))
        self._begun[future] = (self._plan.keys[place], whole)

    def _settle(self) -> None:
        over = [future for future in self._begun if future.done()]
        marked = [(self._begun.pop(future), future.exception()) for future in over]
        self._done.update(pair for pair, error in marked if error is None)
        for _, error in marked:
            if error is not None:
                raise error


def _mark(plan: Plan, place: int, whole: Account, nodes: set[str]) -> None:
    refuse_changed(plan, place)
    refuse_lost(plan.target, whole, nodes)
    finish(plan.target, plan.keys[place], whole)


def refuse_changed(plan: Plan, place: int) -> None:
    """The files of a shard have to be as they were when the run was planned.

    Raises:
        StageError: One is not.
    """
    for file, state in zip(plan.shards[place].files, plan.states[place], strict=True):
        if file_state(file) != state:
            raise StageError(f"{file.label} changed while it was read; run again once it rests")


def refuse_lost(target: str, whole: Account, nodes: set[str]) -> None:
    """What other nodes wrote has to be where this one can see it.

    Raises:
        StageError: A file is not.
    """
    lost = lost_files(target, whole) if local_path(target) else []
    if lost:
        raise StageError(
            f"{lost[0]} was written, but is not in {target} as this node sees it (written on "
            f"{', '.join(sorted(nodes))}): --processed-dir must be object storage or a disk that "
            "all nodes see"
        )
