"""`confirm`: six passes from six seeds, whatever happens on the way."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jepa_ray.config import ConfirmConfig
from jepa_ray.config.legs import cut_legs
from jepa_ray.confirm.begun import BEGUN_FILES, begin, datasets_of, require_same, started_utc
from jepa_ray.confirm.datasets import (
    listed,
    trainable,
)
from jepa_ray.confirm.hold import hold
from jepa_ray.confirm.plan import CONFIRMATION_FILE, Pass, passes
from jepa_ray.confirm.progress import Progress
from jepa_ray.confirm.results import KEYS, confirmation, forgetting, spreads
from jepa_ray.confirm.sides import require_two_sides
from jepa_ray.errors import ConfigError, TrainingError, UsageError
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


def confirm(
    *,
    processed_dir: str,
    storage_path: str,
    run_id: str,
    config: ConfirmConfig,
    dataset: str = "combined",
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
        dataset: `combined`: all that are prepared; or names separated by commas.
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
    processed_dir, run = absolute(processed_dir), join(absolute(storage_path), run_id)
    require_divisors(config.train)
    with _allowed(processed_dir):
        datasets = listed(processed_dir, dataset)
    names = trainable(datasets)
    cut_legs(names, config.train)  # raises where there are fewer steps than legs
    todo = passes(run, processed_dir, names, config)
    with _allowed(run):
        require_same(run, config, datasets)
        found = _finished(run, todo)
    if found is not None:
        log.info("%s is finished", run)
        return found
    require_two_sides(processed_dir, names, config.train.split, config.seeds)
    fresh = not exists(run)
    require_writable(run)
    with hold(run) as require_held, unused_taken_away(run, BEGUN_FILES, fresh=fresh):
        require_same(run, config, datasets)  # another process may have begun it meanwhile
        found = _finished(run, todo)  # or even finished it
        if found is not None:
            return found
        remove_unfinished(run)
        begin(run, config, datasets)
        _run_to_the_end(
            todo, config, run=run, run_id=run_id, progress=progress, require_held=require_held
        )
        require_held()
        document = confirmation(
            run_id=run_id,
            processed_dir=processed_dir,
            config=config,
            datasets=datasets_of(run),
            reports=[_report(each) for each in todo],
            started=started_utc(run),
        )
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


def _report(each: Pass) -> Document:
    report: Document = {}
    try:
        report = read_json(each.report)
        ours = report["pass"] == each.name and report["checkpoints"].keys() == each.labels
        spreads([report])
        forgetting([report])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration):
        ours = False
    if not ours:
        raise ConfigError(
            f"{each.report} is damaged: delete it, and the same command writes it anew"
        )
    return report


def _finished(run: str, wanted: Sequence[Pass]) -> Document | None:
    """confirmation.json, if it is there, and everything that it tells of, too.

    Where it is not ours or damaged it is written anew: it follows from the reports.
    """
    try:
        found: Document = read_json(join(run, CONFIRMATION_FILE))
    except (FileNotFoundError, ValueError):
        return None
    ours = isinstance(found, dict) and found.keys() >= KEYS and len(found["passes"]) == len(wanted)
    return found if ours and all(each.finished for each in wanted) else None


@contextmanager
def _allowed(url: str) -> Iterator[None]:
    """Say which place lets nobody in."""
    try:
        yield
    except PermissionError as error:
        reason = error.strerror or str(error) or "permission denied"
        raise UsageError(f"{url} cannot be read: {reason}; see to its permissions") from None
