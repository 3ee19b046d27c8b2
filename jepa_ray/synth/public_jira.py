"""Public Jira in its normalised form: one issue per line of `public_jira.normalized.jsonl.gz`.

The issues stand Jira by Jira, each from its first week to its last. A project is one team with one
rhythm; some teams set due dates far more often than others, most of them on a Friday.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from jepa_ray.synth.moments import due_date
from jepa_ray.synth.output_files import whole_gzip_file
from jepa_ray.synth.population import Person, generator, people, portions, sentences, text, words

_DATASET = "public_jira"
JIRAS = {"Lumora": 0.5, "Pinewell": 0.3, "Tarnbrook": 0.2}
_PROJECTS_A_JIRA = 4
_DUE_SHARES = (0.02, 0.06, 0.12, 0.28)  # by project; together 12 %, as in the real Jiras
_FIRST_MONDAY = dt.datetime(2019, 1, 7)  # noqa: DTZ001  # the normalised form knows no zone
_WEEKS = 208
_SORTED_AT_ONCE = 4096


def write(root: Path, seed: int, records: int) -> int:
    """Write the issues of three Jiras into one file; return their number."""
    path = root / "public_jira" / "public_jira.normalized.jsonl.gz"
    with whole_gzip_file(path) as stream:
        for index, count in enumerate(portions(records, list(JIRAS.values()))):
            for issue in issues_of(seed, index, count):
                stream.write(json.dumps(issue).encode() + b"\n")
    return records


def issues_of(seed: int, jira: int, count: int) -> Iterator[dict[str, str | None]]:
    """Yield the issues of one Jira; their numbers rise with the time."""
    rng = generator(seed, _DATASET, jira)
    name = list(JIRAS)[jira]
    teams = people(rng, _PROJECTS_A_JIRA, clock_shifts=(-5, 0, 0, 1))
    stock = sentences(rng, 300)
    keys = [f"{name[:2].upper()}{team.last[:3].upper()}{n}" for n, team in enumerate(teams)]
    last_of_project = [0] * _PROJECTS_A_JIRA
    for number, (created, project) in enumerate(_moments(rng, teams, count), start=10_000):
        last_of_project[project] += 1
        due = due_date(rng, created.date()) if rng.random() < _DUE_SHARES[project] else None
        yield {
            "id": f"{name}:{number}",
            "key": f"{keys[project]}-{last_of_project[project]}",
            "created": created.isoformat(),
            "dueDate": due.isoformat() if due else None,
            "summary": words(rng, rng.randint(3, 9)).capitalize(),
            "description": text(rng, stock, 16) if rng.random() > 0.07 else None,
        }


def _moments(rng: Random, teams: list[Person], count: int) -> Iterator[tuple[dt.datetime, int]]:
    """Yield creation times with the number of the project, week by week."""
    for week, in_week in enumerate(portions(count, [1.0] * _WEEKS)):
        monday = _FIRST_MONDAY + dt.timedelta(weeks=week)
        for first in range(0, in_week, _SORTED_AT_ONCE):
            drawn = [
                rng.randrange(len(teams)) for _ in range(min(_SORTED_AT_ONCE, in_week - first))
            ]
            yield from sorted((teams[project].moment(rng, monday), project) for project in drawn)
