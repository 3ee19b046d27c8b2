"""`jepa-ray probe`: which checkpoints, which tasks, two at once, one result file.

Units of work (units.py) run in processes of one thread each, checkpoint after checkpoint, so each
reads its windows once; what they give does not depend on how many processes there are. What is done
is kept in `probes.parts` until probes.json is written: the same command goes on from there.
"""

import difflib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from jepa_ray.checkpoint import FILE_NAME, load_checkpoint
from jepa_ray.config import ProbeConfig
from jepa_ray.corpus import fingerprints
from jepa_ray.errors import CheckpointError, ConfigError, SourceError
from jepa_ray.evaluate.done import Done, content_of, forget, prepared_as
from jepa_ray.evaluate.files import PROBES, keep
from jepa_ray.evaluate.find import confirmation
from jepa_ray.evaluate.pool import processes
from jepa_ray.evaluate.probes import delayed, delayed_csv, delayed_jira
from jepa_ray.evaluate.probes.delayed_table import folder_of, names_in
from jepa_ray.evaluate.probes.reidentify import REIDENTIFICATION
from jepa_ray.evaluate.probes.sample import choose_names
from jepa_ray.evaluate.probes.units import OF_WINDOWS, Found, Place, Unit, forget_read, run_unit
from jepa_ray.evaluate.probes.verdicts import closing, results
from jepa_ray.storage import exists, join, require_writable

RESULT = PROBES
_PARTS = "probes.parts"
FORMAT_VERSION = 1
TASKS = (*OF_WINDOWS, *delayed.TASKS)
"""Names of all tasks, in the order in which they are told."""


@dataclass(frozen=True)
class Target:
    """What is probed.

    Attributes:
        folder: Of the result.
        checkpoints: URLs.
        trained_on: Names of the datasets of the first one.
    """

    folder: str
    checkpoints: tuple[str, ...]
    trained_on: tuple[str, ...] = ()


def probe(
    checkpoint: str,
    *,
    processed_dir: str,
    downstream: str | None = None,
    tasks: Sequence[str] = TASKS,
    config: ProbeConfig,
    progress: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Probe a checkpoint, or the combined checkpoints of a confirmation run; write probes.json.

    Args:
        checkpoint: Path or URL of a `schedule_jepa.pt`, of its folder, or of a confirmation run.
        processed_dir: Path or URL that `prepare` wrote.
        downstream: Folder that holds `delayed_issues/` and `jira_deadlines/`, or the files of one
            of them; None: below JEPA_RAY_REAL_DATA, if that is set.
        tasks: Names out of `TASKS`.
        config: Samples and budgets.
        progress: Called with a line after each task of each checkpoint.

    Returns:
        What was written, or told where it could not be (a warning says so).

    Raises:
        CheckpointError: A checkpoint is absent or damaged, or the confirmation run is unfinished.
        UsageError: The folder of the result cannot be written to.
        StageError: A process was killed.
        CorpusError: The windows are absent or damaged.
        SourceError: A file of deadlines is damaged, or there is no table in `downstream`.
        ConfigError: A task is unknown.
    """
    _require_known(tasks)
    started, target = time.monotonic(), find(checkpoint)
    require_writable(target.folder)
    place = Place(
        processed_dir,
        folder_of(downstream, delayed_csv.FOLDER, delayed_csv.SUFFIX),
        folder_of(downstream, delayed_jira.FOLDER, delayed_jira.SUFFIX),
        config,
    )
    asked = [name for name in TASKS if name in tasks]
    _require_tables(downstream, place, asked)
    units = [Unit(*each) for each in itertools.product(target.checkpoints, asked)]
    every: dict[Unit, Found] = {}
    for unit, found in _each(units, place, target):
        every[unit] = found
        progress(f"{len(every)} of {len(units)}: {unit.task}")
    document = _document(target, asked, every, config) | _about(target, place)
    document["seconds"] = time.monotonic() - started
    if keep(document, target.folder, RESULT) == "kept":
        forget(join(target.folder, _PARTS))
    return document


def _require_tables(downstream: str | None, place: Place, asked: Sequence[str]) -> None:
    """Tell before the work of a folder without tables, and of a damaged one."""
    if downstream and not (place.published or place.deadlines):
        raise SourceError(
            f"{downstream} holds neither {delayed_csv.FOLDER}/*{delayed_csv.SUFFIX} nor "
            f"{delayed_jira.FOLDER}/*{delayed_jira.SUFFIX}: see docs/probes.md, or leave "
            "--downstream out"
        )
    if place.deadlines and any(task.name in asked for task in delayed.OF_JIRA):
        delayed_jira.read_deadlines(place.deadlines)


def _document(
    target: Target, asked: Sequence[str], every: Mapping[Unit, Found], config: ProbeConfig
) -> dict[str, Any]:
    """The probes.json of what came of all units."""
    by_task = {name: [every[Unit(url, name)] for url in target.checkpoints] for name in asked}
    outcomes = {
        name: some
        for name, each in by_task.items()
        if (some := [f.outcome for f in each if f.outcome])
    }
    reasons = {
        name: said[0]
        for name, each in by_task.items()
        if (said := [f.reason for f in each if f.reason])
    }
    entries = results(outcomes, config, len(target.checkpoints))
    for name, entry in entries.items():
        entry["checkpoints"] = len(outcomes[name])
        if name in reasons:
            count = f"{len(outcomes[name])} of {len(target.checkpoints)} checkpoints"
            entry["sentence"] += f" Of {count} only; of the others: {reasons[name]}."
    return {
        "format_version": FORMAT_VERSION,
        "checkpoints": list(target.checkpoints),
        "windows": max((found.windows for found in every.values()), default=0),
        "tasks": entries,
        "skipped": {name: why for name, why in reasons.items() if name not in outcomes},
        "verdict": closing(entries, [REIDENTIFICATION.name]),
        "warnings": list(dict.fromkeys(w for found in every.values() for w in found.warnings)),
    }


def _about(target: Target, place: Place) -> dict[str, Any]:
    """Of which checkpoints and windows a document is, and how it was made."""
    names = choose_names(place.processed_dir, list(target.trained_on))
    return {
        "checkpoint_sha256": [content_of(url) for url in target.checkpoints],
        "corpus": fingerprints(place.processed_dir, names),
        "tables": _tables(place),
        "settings": place.config.model_dump(mode="json"),
    }


def find(checkpoint: str) -> Target:
    """The checkpoints that a path or URL stands for.

    Raises:
        CheckpointError: There is none, or the confirmation run is unfinished or damaged.
    """
    if checkpoint.endswith((".pt", ".safetensors")):
        return _target(checkpoint.rpartition("/")[0] or ".", [checkpoint])
    if exists(join(checkpoint, FILE_NAME)):
        return _target(checkpoint, [join(checkpoint, FILE_NAME)])
    about = confirmation(checkpoint)
    if about is None:
        raise CheckpointError(
            f"{checkpoint} holds neither {FILE_NAME} nor confirmation.json; give a checkpoint, the "
            "folder of a training, or that of a finished confirmation run"
        )
    combined = [join(checkpoint, each["pass"], "combined") for each in about["passes"]]
    return _target(checkpoint, combined)


def _target(folder: str, urls: Sequence[str]) -> Target:
    found = [load_checkpoint(url) for url in urls]
    return Target(folder, tuple(each.url for each in found), tuple(found[0].provenance["datasets"]))


def _require_known(tasks: Sequence[str]) -> None:
    unknown = [name for name in tasks if name not in TASKS]
    close = [match for name in unknown for match in difflib.get_close_matches(name, TASKS, n=1)]
    meant = f"; did you mean {', '.join(close)}?" if close else "."
    if unknown or not tasks:
        raise ConfigError(
            f"no such task: {', '.join(unknown) or '(none given)'}{meant} There are "
            f"{', '.join(TASKS)}"
        )


def _each(units: Sequence[Unit], place: Place, target: Target) -> Iterator[tuple[Unit, Found]]:
    """What came of each unit, in their order; those that are done already first."""
    done, own = _done(place, target), {url: content_of(url) for url in target.checkpoints}
    names = {u: f"{u.task}-{target.checkpoints.index(u.checkpoint) + 1:02}" for u in units}
    left = []
    for unit in units:
        part = done.get(names[unit], own[unit.checkpoint])
        if part is None:
            left.append(unit)
        else:
            yield unit, Found.of(part)
    for unit, found in zip(left, _worked(left, place), strict=True):
        done.put(names[unit], own[unit.checkpoint], found.document())
        yield unit, found


def _done(place: Place, target: Target) -> Done:
    return Done.of(
        join(target.folder, _PARTS),
        settings=place.config.model_dump(mode="json", exclude={"processes"}),
        windows=prepared_as(place.processed_dir),
        tables=_tables(place),
    )


def _tables(place: Place) -> dict[str, str]:
    """Hashes of the tables of delays, by the names of the files."""
    files = [
        join(folder, name)
        for folder, suffix in (
            (place.published, delayed_csv.SUFFIX),
            (place.deadlines, delayed_jira.SUFFIX),
        )
        if folder
        for name in names_in(folder, suffix)
    ]
    return {file.rpartition("/")[2]: content_of(file) for file in files}


def _worked(units: Sequence[Unit], place: Place) -> Iterator[Found]:
    work = partial(run_unit, place)
    workers = min(place.config.processes, len(units))
    if workers <= 1:
        forget_read()
        yield from map(work, units)
        return
    way_out = "what was done is kept: run it again, with processes=1 or a smaller pool"
    with processes(workers, does="worked on a task", way_out=way_out) as pool:
        yield from pool.map(work, units)
