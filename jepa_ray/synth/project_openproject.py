"""Work packages of OpenProject's API v3: pages of a collection, single bodies and webhooks.

True to the interface: elements of a page have `_links` only, bodies have `_embedded` too; start,
due date, durations, assignee and progress may be null, a milestone has `date` in their place,
stamps come with and without milliseconds, and names of types, statuses and priorities are not all
English. One package in forty, twenty at most, is a body of its own; every fourth of these came by
webhook.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from jepa_ray.synth.moments import due_date, moments
from jepa_ray.synth.output_files import whole_file
from jepa_ray.synth.population import Person, generator, people, sentences, text, words
from jepa_ray.synth.project_openproject_links import action_links, embedded, linked

_DATASET = "project_openproject"
_PAGE = 500
_STAFF, _PROJECTS = 30, 6
_FIRST_MONDAY = dt.datetime(2021, 1, 4, tzinfo=dt.UTC)
_WEEKS = 150
_TYPES = {"Task": 50, "Milestone": 6, "Feature": 14, "Bug": 16, "Tâche": 8, "Phase": 6}
_STATUSES = {"New": 30, "In progress": 22, "À faire": 8, "On hold": 5, "Closed": 30, "Abgelehnt": 5}
_CLOSED = {"Closed", "Abgelehnt"}
_PRIORITIES = {"Low": 12, "Normal": 64, "High": 14, "Immediate": 3, "Élevée": 7}


class _Server(NamedTuple):
    """Everybody and every project of one installation."""

    staff: list[Person]
    projects: list[str]
    stock: list[str]


def write(root: Path, seed: int, records: int) -> int:
    """Write pages of 500 work packages and some bodies; return the number of work packages."""
    folder = root / "project_apis" / "openproject"
    rng = generator(seed, _DATASET)
    staff = people(rng, _STAFF, clock_shifts=(-1, 0, 0, 3))
    projects = [words(rng, 2).replace(" ", "-") + f"-{n}" for n in range(1, _PROJECTS + 1)]
    server = _Server(staff, projects, sentences(rng, 300))
    packages = _packages(rng, server, records)
    bodies = min(records // 40, 20)
    for number, package in enumerate(islice(packages, bodies)):
        body = package | {"_embedded": embedded(package["_links"], _CLOSED)}
        webhook = {"action": "work_package:created", "work_package": body}
        with whole_file(folder / f"body-{number:03}.workpackage.json") as stream:
            stream.write(msgspec.json.encode(webhook if number % 4 == 3 else body))
    listed = records - bodies
    for number in range(1, -(-listed // _PAGE) + 1):
        page = _page(list(islice(packages, _PAGE)), number, listed)
        with whole_file(folder / f"work_packages-{number:05}.json") as stream:
            stream.write(msgspec.json.encode(page))
    return records


def _page(elements: list[dict[str, Any]], number: int, total: int) -> dict[str, Any]:
    """Wrap the packages of one page, as `GET /api/v3/work_packages` answers."""
    here = "/api/v3/work_packages?offset={}&pageSize=" + str(_PAGE)
    links = {"self": {"href": here.format(number)}}
    links |= {"previousByOffset": {"href": here.format(number - 1)}} if number > 1 else {}
    last = number * _PAGE >= total
    links |= {} if last else {"nextByOffset": {"href": here.format(number + 1)}}
    return {
        "_type": "WorkPackageCollection",
        "total": total,
        "count": len(elements),
        "pageSize": _PAGE,
        "offset": number,
        "_embedded": {"elements": elements},
        "_links": links,
    }


def _packages(rng: Random, server: _Server, count: int) -> Iterator[dict[str, Any]]:
    times = moments(rng, server.staff, count, monday=_FIRST_MONDAY, weeks=_WEEKS)
    number = 100
    for created, author in times:
        number += rng.choice((1, 1, 1, 2, 9))
        yield _package(rng, server, number, created, author)


def _package(
    rng: Random, server: _Server, number: int, created: dt.datetime, author: int
) -> dict[str, Any]:
    """Write one work package as an element of a page."""
    kind, status, priority = (
        rng.choices(list(names), weights=list(names.values()))[0]
        for names in (_TYPES, _STATUSES, _PRIORITIES)
    )
    raw = text(rng, server.stock, 6) if rng.random() < 0.75 else rng.choice((None, ""))
    changed = created + dt.timedelta(hours=rng.expovariate(0.02))
    subject = words(rng, rng.randint(1, 7)).capitalize()
    place = (author + rng.randrange(3)) % _PROJECTS
    assignee = rng.randrange(_STAFF) if rng.random() < 0.6 else None
    links = action_links(number, subject, server.projects[place])
    links |= linked("types", "type", list(_TYPES).index(kind) + 1, kind)
    links |= linked("priorities", "priority", list(_PRIORITIES).index(priority) + 7, priority)
    links |= linked("statuses", "status", list(_STATUSES).index(status) + 1, status)
    links |= linked("projects", "project", place + 1, server.projects[place])
    for name, who in (("author", author), ("assignee", assignee)):
        links |= linked("users", name, None if who is None else who + 4, _name(server, who))
    return {
        "_type": "WorkPackage",
        "id": number,
        "lockVersion": rng.randrange(9),
        "subject": subject,
        "description": {"format": "markdown", "raw": raw, "html": f"<p>{raw}</p>" if raw else ""},
        "scheduleManually": False,
        **_dates(rng, created.date(), milestone=kind == "Milestone"),
        **_effort(rng, closed=status in _CLOSED),
        "createdAt": _stamp(created, rng),
        "updatedAt": _stamp(changed, rng),
        "_links": links,
    }


def _name(server: _Server, who: int | None) -> str | None:
    return None if who is None else f"{server.staff[who].first} {server.staff[who].last}"


def _dates(rng: Random, created: dt.date, *, milestone: bool) -> dict[str, str | None]:
    """Plan a work package; two in three have no date at all."""
    due = due_date(rng, created) if rng.random() < 1 / 3 else None
    if milestone:
        return {"date": (due or due_date(rng, created)).isoformat()}
    start = created + (due - created) // 2 if due and rng.random() < 0.7 else None
    return {
        "startDate": start.isoformat() if start else None,
        "dueDate": due.isoformat() if due else None,
        "duration": f"P{(due - start).days + 1}D" if due and start else None,
    }


def _effort(rng: Random, *, closed: bool) -> dict[str, str | int | None]:
    """Estimate a work package; half of them nobody estimated."""
    minutes = rng.choice((15, 30, 60, 90, 120, 240, 480, 1440)) if rng.random() < 0.5 else None
    open_share = rng.choice((0, 0, 10, 20, 50, 80)) if rng.random() < 0.9 else None
    return {
        "estimatedTime": _duration(minutes) if minutes else None,
        "derivedEstimatedTime": None,
        "remainingTime": None,
        "percentageDone": 100 if closed and rng.random() < 0.8 else open_share,
    }


def _duration(minutes: int) -> str:
    """Write a duration of ISO 8601, such as `PT1H30M` or `P1D`."""
    if minutes % 1440 == 0:
        return f"P{minutes // 1440}D"
    hours, rest = divmod(minutes, 60)
    return "PT" + f"{hours}H" * bool(hours) + f"{rest}M" * bool(rest)


def _stamp(moment: dt.datetime, rng: Random) -> str:
    """Write a stamp; newer servers add milliseconds."""
    part = f".{rng.randrange(1000):03}" if moment >= _FIRST_MONDAY + dt.timedelta(weeks=75) else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{part}Z"
