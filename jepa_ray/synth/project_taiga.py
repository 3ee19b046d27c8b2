"""Projects of Taiga: export dumps of some, and the lists that the API gives of the others.

Stories, tasks and issues of a project share one sequence of numbers and one team with its rhythm.
True to the server: a dump has names of statuses and stamps like `2016-08-04T11:08:24+0000`, the
lists have numbers and milliseconds; stories have `finish_date`, the others `finished_date`; one
finished record in twenty was finished before it was created (an import); `due_date` is null, or
absent from older dumps. The lists hold epics and milestones too, which are no work of their own.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import BinaryIO

import msgspec

from jepa_ray.synth.moments import due_date, moments
from jepa_ray.synth.output_files import whole_file
from jepa_ray.synth.population import generator, made_up_name, people, portions, sentences, text
from jepa_ray.synth.population import words as some_words
from jepa_ray.synth.project_taiga_forms import Project, Record, dump, listed

_DATASET = "project_taiga"
_RECORDS_A_PROJECT = 400
_TEAM = 8
_FIRST_MONDAY = dt.datetime(2018, 1, 8, tzinfo=dt.UTC)
_WEEKS = 60
_DUMPED = {"user_story": 36, "task": 34, "issue": 30}
_LISTED = _DUMPED | {"epic": 2, "milestone": 2}
_FILES = {
    "user_story": "userstories", "task": "tasks", "issue": "issues", "epic": "epics",
    "milestone": "milestones",
}  # fmt: skip
_FINISHED = {"user_story": 0.45, "task": 0.6, "issue": 0.5, "epic": 0.2, "milestone": 0.5}


def write(root: Path, seed: int, records: int) -> int:
    """Write dumps and lists of projects of up to 400 records; return the number of records."""
    folder = root / "project_apis" / "taiga"
    projects = max(2, -(-records // _RECORDS_A_PROJECT))
    with ExitStack() as stack:
        lists = {
            kind: stack.enter_context(whole_file(folder / f"{name}.json"))
            for kind, name in _FILES.items()
        }
        written = dict.fromkeys(lists, 0)
        for index, size in enumerate(portions(records, [1.0] * projects)):
            rng = generator(seed, _DATASET, index)
            project = _project(rng, index)
            if index % 2 == 0:
                found = list(_records(rng, project, size, _DUMPED))
                with whole_file(folder / f"{project.slug}.dump.json") as stream:
                    stream.write(dump(project, found, with_due_dates=index % 4 == 2))
                continue
            for record in _records(rng, project, size, _LISTED):
                _append(lists[record.kind], listed(project, record), written[record.kind])
                written[record.kind] += 1
        for kind, stream in lists.items():
            stream.write(b"\n]\n" if written[kind] else b"[]\n")
    return records


def _append(stream: BinaryIO, element: object, before: int) -> None:
    """Write one element of an array that stays open."""
    stream.write((b",\n" if before else b"[\n") + msgspec.json.encode(element))


def _project(rng: Random, index: int) -> Project:
    team = people(rng, _TEAM, clock_shifts=(rng.choice((-8, -5, 0, 1)),))
    name = made_up_name(index)
    return Project(
        index + 1, name, f"{name.lower()}-board", tuple(team), tuple(sentences(rng, 120))
    )


def _records(rng: Random, project: Project, count: int, mix: dict[str, int]) -> Iterator[Record]:
    """Yield the records of one project in the order of their creation."""
    story: int | None = None
    drawn = moments(rng, project.team, count, monday=_FIRST_MONDAY, weeks=_WEEKS)
    for ref, (second, owner) in enumerate(drawn, start=1):
        created = second + dt.timedelta(milliseconds=rng.randrange(1000))
        kind = rng.choices(list(mix), weights=list(mix.values()))[0]
        finished = _finish(rng, created) if rng.random() < _FINISHED[kind] else None
        yield Record(
            kind=kind,
            ref=ref,
            created=created,
            finished=finished,
            due=due_date(rng, created.date()) if rng.random() < 0.12 else None,
            owner=owner,
            assigned=rng.randrange(_TEAM) if rng.random() < 0.8 else None,
            story=story if kind == "task" else None,
            subject=some_words(rng, rng.randint(2, 7)).capitalize(),
            description=text(rng, project.stock, 8, most=60) if rng.random() < 0.95 else "",
            level=rng.choices(range(3), weights=(20, 62, 18))[0],
            step=rng.randrange(2),
            tags=tuple(some_words(rng, rng.randint(0, 6)).split()),
        )
        story = ref if kind == "user_story" else story


def _finish(rng: Random, created: dt.datetime) -> dt.datetime:
    """Finish a record some days later, or, one in twenty, before its creation."""
    if rng.random() < 0.05:
        return created - dt.timedelta(days=rng.uniform(1, 60))
    return created + dt.timedelta(days=rng.lognormvariate(1.2, 1.3))
