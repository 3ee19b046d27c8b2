"""`confirm`: six passes from six seeds, whatever happens on the way."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jepa_ray.config import ConfirmConfig
from jepa_ray.config.legs import cut_legs
from jepa_ray.confirm.begun import (
    BEGUN_FILES,
    begin,
    datasets_of,
    refuse_training,
    require_same,
    require_uncut,
    started_utc,
    without_new,
)
from jepa_ray.confirm.datasets import Listed, listed, trainable
from jepa_ray.confirm.hold import hold
from jepa_ray.confirm.plan import CONFIRMATION_FILE, Pass, passes
from jepa_ray.confirm.progress import Progress
from jepa_ray.confirm.results import confirmation, read_report, says_the_same
from jepa_ray.confirm.sides import require_two_sides
from jepa_ray.errors import TrainingError, UsageError
from jepa_ray.prepared import COMBINED
from jepa_ray.storage import (
    absolute,
    exists,
    join,
    read_json,
    remove_unfinished,
    require_writable,
    write_json,
)
from jepa_ray.storage.begun import unused_taken_away
from jepa_ray.train.device import require_divisors

log = logging.getLogger(__name__)

Document = dict[str, Any]


@dataclass(frozen=True)
class _Asked:
    """What a command asks for.

    Attributes:
        run: Folder of the run.
        run_id: Its name.
        processed_dir: Path or URL of the windows.
        config: Settings.
        dataset: As asked for.
        datasets: What it comes to.
        passes: All of them.
    """

    run: str
    run_id: str
    processed_dir: str
    config: ConfirmConfig
    dataset: str
    datasets: dict[str, Listed]
    passes: list[Pass]

    def document(self) -> Document:
        """confirmation.json, from the reports of the passes."""
        return confirmation(
            run_id=self.run_id,
            processed_dir=self.processed_dir,
            config=self.config,
            datasets=datasets_of(self.run),
            reports=[read_report(each) for each in self.passes],
            started=started_utc(self.run),
        )

    def finished(self) -> Document | None:
        """confirmation.json, if it is there, and says what the reports say; None: write it anew.

        Raises:
            ConfigError: The run was begun as another one, or a report is damaged.
        """
        require_same(self.run, self.config, self.datasets)
        if not all(each.finished for each in self.passes):
            return None
        try:
            found: Document = read_json(join(self.run, CONFIRMATION_FILE))
        except (FileNotFoundError, ValueError):
            return None
        return found if says_the_same(found, self.document()) else None


def confirm(
    *,
    processed_dir: str,
    storage_path: str,
    run_id: str,
    config: ConfirmConfig,
    dataset: str = COMBINED,
    progress: Callable[[str], None] = lambda _line: None,
) -> Document:
    """Train every dataset and all of them together, once a seed.

    What is there already is kept: a finished run only gives its result, and one that was stopped
    goes on from its last states.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        storage_path: Path or URL under which runs are kept.
        run_id: Name of this run.
        config: Settings.
        dataset: `combined`: all that are prepared, and those it has of a run that was begun; or
            names separated by commas.
        progress: Told where the run is, a line at a time.

    Returns:
        confirmation.json (docs/confirm.md).

    Raises:
        CorpusError: No dataset can be trained on, or one cannot be split.
        ConfigError: The run was begun with other settings or windows, there are fewer steps than
            legs, or the cluster is too small.
        UsageError: A place cannot be reached, or another process holds the run.
        TrainingError: Passes stopped; the others are finished, and the same command goes on.
    """
    run = join(absolute(storage_path), run_id)
    with _allowed(run):
        refuse_training(run)
    asked = _asked(run, run_id, absolute(processed_dir), config, dataset)
    with _allowed(run):
        found = asked.finished()
    if found is not None:
        log.info("%s is finished", run)
        return found
    names = trainable(asked.datasets)
    require_two_sides(asked.processed_dir, names, config.train.split, config.seeds)
    return _held_to_the_end(asked, progress)


def _asked(
    run: str, run_id: str, processed_dir: str, config: ConfirmConfig, dataset: str
) -> _Asked:
    require_divisors(config.train)
    with _allowed(processed_dir):
        datasets = listed(processed_dir, dataset)
    if dataset == COMBINED:
        with _allowed(run):
            datasets = without_new(run, datasets)
    names = trainable(datasets)
    cut_legs(names, config.train)  # raises where there are fewer steps than legs
    todo = passes(run, processed_dir, names, config)
    return _Asked(run, run_id, processed_dir, config, dataset, datasets, todo)


def _held_to_the_end(asked: _Asked, progress: Callable[[str], None]) -> Document:
    """Hold the run, do what is left of it, and write confirmation.json."""
    run = asked.run
    fresh = not exists(run)
    require_writable(run)
    with hold(run) as require_held, unused_taken_away(run, BEGUN_FILES, fresh=fresh):
        found = asked.finished()  # another process may have begun it meanwhile, or even finished it
        if found is not None:
            return found
        remove_unfinished(run)
        begin(run, asked.config, asked.datasets, asked.dataset)
        _run_to_the_end(
            asked.passes,
            asked.config,
            run=run,
            run_id=asked.run_id,
            progress=progress,
            require_held=require_held,
        )
        require_held()
        document = asked.document()
        write_json(join(run, CONFIRMATION_FILE), document)
    return document


def _run_to_the_end(
    wanted: Sequence[Pass],
    config: ConfirmConfig,
    *,
    run: str,
    run_id: str,
    progress: Callable[[str], None],
    require_held: Callable[[], None],
) -> None:
    """Run the passes that are not finished; TrainingError where some of them stop."""
    todo = [each for each in wanted if not each.finished]
    if len(todo) < len(wanted):
        done = [each.name for each in wanted if each not in todo]
        log.info("finished before: %s", ", ".join(done))
    if not todo:
        return
    last = todo[0].jobs[-1]
    require_uncut(run, last.processed_dir, last.names)
    from jepa_ray.confirm.trials import run_passes  # noqa: PLC0415 - a finished run needs no Ray

    told = _teller(todo, progress)
    failures = run_passes(
        todo, config, run=run, run_id=run_id, told=told, require_held=require_held
    )
    if failures:
        said = "; ".join(f"{name} stopped {why}" for name, why in sorted(failures.items()))
        raise TrainingError(
            f"{len(failures)} of {len(wanted)} passes did not finish: {said}; the others are kept, "
            "and the same command goes on"
        )


def _teller(todo: Sequence[Pass], progress: Callable[[str], None]) -> Callable[[Document], None]:
    """What takes the rows of the trials."""
    at = Progress(todo)
    at.finished_before([job.folder for each in todo for job in each.jobs if job.finished])

    def told(row: Document) -> None:
        if "warned" in row:
            log.warning("%s: %s", row["pass"], row["warned"])
        elif "failed" in row or "finished" in row:
            at.ended(row["pass"])
            log.info("%s %s", row["pass"], "is finished" if "finished" in row else "stopped")
        else:
            at.told(row)
            progress(at.line())

    return told


@contextmanager
def _allowed(url: str) -> Iterator[None]:
    """Say which place lets nobody in."""
    try:
        yield
    except PermissionError as error:
        reason = error.strerror or str(error) or "permission denied"
        raise UsageError(f"{url} cannot be read: {reason}; see to its permissions") from None
