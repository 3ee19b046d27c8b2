"""What the process of a trial does: one pass, from wherever it is, to its report.

Everything that counts lies in the folders of the trainings and in report.json, so a trial that is
started again, by Tune or by the same command, goes on and needs to be told nothing.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jepa_ray.confirm.hold import exclusive_soon
from jepa_ray.confirm.plan import Pass, label
from jepa_ray.confirm.results import pass_report
from jepa_ray.errors import JepaRayError, TrainingError
from jepa_ray.storage import remove_unfinished, write_json
from jepa_ray.train import train_many
from jepa_ray.train.watch import Teller
from jepa_ray.windows import utc_now


@dataclass(frozen=True)
class Work:
    """What the driver hands to a trial.

    Attributes:
        todo: The pass.
        run_id: For the names that the dashboard shows.
        watch: Name of the actor that takes what is told.
    """

    todo: Pass
    run_id: str
    watch: str


def run_trial(work: Work) -> None:
    """Train what is not finished of a pass, and write its report.

    An error of ours would only repeat itself, so it is told to the driver, and Tune is not asked to
    begin again; it does where the process is lost.
    """
    each, tell = work.todo, Teller(work.watch)
    started, began = utc_now(), time.monotonic()
    try:
        with _warnings_told(each.name, tell), exclusive_soon(each.folder, "train into"):
            remove_unfinished(each.folder)
            _train(work, tell)
            report = pass_report(each, started=started, seconds=time.monotonic() - began)
            write_json(each.report, report)
    except JepaRayError as error:
        tell.surely(
            {"pass": each.name, "failed": str(error), "training": stopped_at(each, str(error))}
        )
        return
    tell.surely({"pass": each.name, "finished": True})


def _train(work: Work, tell: Teller) -> None:
    """All trainings of a pass.

    A node that is lost as the last of them ends makes the fit fail, with nothing left to do.
    """
    each = work.todo
    try:
        train_many(
            each.jobs,
            storage_path=each.run,
            name=f"{work.run_id}-{each.name}",
            progress=lambda row: tell({"pass": each.name, **row}),
        )
    except TrainingError:
        if not all(job.finished for job in each.jobs):
            raise


def stopped_at(each: Pass, said: str) -> str:
    """The training that an error is about: the one that it names, or the first unfinished one."""
    named = [job.folder for job in each.jobs if f"{job.folder}/" in said]
    left = (job.folder for job in each.jobs if not job.finished)
    folder = named[0] if named else next(left, None)
    return label(folder) if folder else "its report"


@contextmanager
def _warnings_told(name: str, tell: Teller) -> Iterator[None]:
    """Hand warnings of ours to the driver: the log of a trial goes nowhere."""
    handler = _Telling(name, tell)
    log = logging.getLogger("jepa_ray")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Telling(logging.Handler):
    def __init__(self, name: str, tell: Teller) -> None:
        super().__init__(logging.WARNING)
        self._name, self._tell = name, tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell({"pass": self._name, "warned": record.getMessage()})
