"""The two forms of a made-up Taiga project: its export dump, and elements of the API's lists."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from jepa_ray.synth.population import Person

_STATUSES: dict[str, dict[str, bool]] = {  # by list of the dump; whether it means closed
    "us_statuses": {"New": False, "Ready": False, "Done": True, "Archived": True},
    "task_statuses": {"New": False, "In progress": False, "Closed": True, "Needs Info": False},
    "issue_statuses": {"New": False, "In progress": False, "Closed": True, "Rejected": True},
}
_LISTS = {"user_story": "user_stories", "task": "tasks", "issue": "issues"}
_STATUSES_OF = {"user_story": "us_statuses", "task": "task_statuses", "issue": "issue_statuses"}
_PRIORITIES = ("Low", "Normal", "High")
_SEVERITIES = ("Minor", "Normal", "Important")


class Project(NamedTuple):
    """A project: number, name, slug, team, and the sentences its texts are made of."""

    number: int
    name: str
    slug: str
    team: tuple[Person, ...]
    stock: tuple[str, ...]


class Record(NamedTuple):
    """A story, task, issue, epic or milestone, before it has a form.

    Attributes:
        kind: What it is.
        ref: Its number in the project.
        created: In UTC.
        finished: In UTC; None: it is open. May lie before `created`.
        due: When it is due, if anybody said so.
        owner: Number in the team of who made it.
        assigned: Number in the team of who is to do it, if anybody.
        story: `ref` of the story a task belongs to, if any.
        subject: Its title.
        description: Its text, maybe empty.
        level: Its priority and severity: 0, 1 or 2.
        step: Which of the statuses it has, among those that are open or closed: 0 or 1.
        tags: Words.
    """

    kind: str
    ref: int
    created: dt.datetime
    finished: dt.datetime | None
    due: dt.date | None
    owner: int
    assigned: int | None
    story: int | None
    subject: str
    description: str
    level: int
    step: int
    tags: tuple[str, ...]


def dump(project: Project, records: Sequence[Record], *, with_due_dates: bool) -> bytes:
    """Write an export dump, indented as the server does.

    Args:
        project: Which.
        records: Stories, tasks and issues in any order.
        with_due_dates: Whether the server was new enough to know due dates.
    """
    found: dict[str, Any] = {
        "name": project.name,
        "slug": project.slug,
        "created_date": _dump_stamp(min((r.created for r in records), default=_EMPTY_SINCE)),
        "owner": project.team[0].address,
        "is_private": False,
        "creation_template": "scrum",
        "memberships": [{"email": p.address, "user": p.address} for p in project.team],
        "priorities": [{"name": n, "order": i} for i, n in enumerate(_PRIORITIES, 1)],
        "severities": [{"name": n, "order": i} for i, n in enumerate(_SEVERITIES, 1)],
        "points": [{"name": "?", "order": 1, "value": None}],
        "milestones": [],
        "timeline": [],
    }
    for name, statuses in _STATUSES.items():
        found[name] = [
            {"name": status, "is_closed": closed, "order": order}
            for order, (status, closed) in enumerate(statuses.items(), 1)
        ]
    for kind, name in _LISTS.items():
        found[name] = [_dumped(project, r, with_due_dates) for r in records if r.kind == kind]
    return msgspec.json.format(msgspec.json.encode(found), indent=4)


def listed(project: Project, record: Record) -> dict[str, Any]:
    """Write a record as an element of a list of the API."""
    number = project.number * 1000 + record.ref
    found: dict[str, Any] = {
        "id": number,
        "ref": record.ref,
        "created_date": _api_stamp(record.created),
        "modified_date": _api_stamp(record.finished or record.created),
        "owner": _user(project, record.owner),
        "project": project.number,
        "project_extra_info": {"id": project.number, "name": project.name, "slug": project.slug},
        "version": 1 + record.step,
        "watchers": [],
    }
    if record.kind == "milestone":
        return found | _milestone(record)
    found |= {
        "subject": record.subject,
        "tags": [[tag, None] for tag in record.tags],
        "assigned_to": None if record.assigned is None else _user(project, record.assigned),
        "attachments": [],
        "blocked_note": "",
        "is_blocked": False,
        "is_closed": record.finished is not None,
        "total_watchers": 0,
    }
    if record.kind == "epic":
        return found | {"color": "#d3d7cf", "epics_order": number, "status": 1}
    return found | _work(record, number)


_EMPTY_SINCE = dt.datetime(2018, 1, 8, tzinfo=dt.UTC)


def _work(record: Record, number: int) -> dict[str, Any]:
    """Write what stories, tasks and issues have in a list, and what only one of them has."""
    finished = _api_stamp(record.finished) if record.finished else None
    names = list(_STATUSES[_STATUSES_OF[record.kind]])
    status = _status(record)
    found: dict[str, Any] = {
        "due_date": record.due.isoformat() if record.due else None,
        "due_date_reason": "",
        "due_date_status": "set" if record.due else "not_set",
        "milestone": None,
        "status": names.index(status) + 1,
        "status_extra_info": {"name": status, "is_closed": record.finished is not None},
    }
    if record.kind == "user_story":
        found |= {"backlog_order": number, "kanban_order": number, "finish_date": finished}
        return found | {"sprint_order": number, "epics": None, "tasks": [], "points": {"1": 1}}
    if record.kind == "task":
        found |= {"us_order": number, "taskboard_order": number, "is_iocaine": False}
        return found | {"user_story": record.story, "finished_date": finished}
    level = record.level + 1
    return found | {"priority": level, "severity": level, "type": 1, "finished_date": finished}


def _milestone(record: Record) -> dict[str, Any]:
    start = record.created.date()
    return {
        "name": f"Sprint {record.ref}",
        "slug": f"sprint-{record.ref}",
        "closed": record.finished is not None,
        "disponibility": 0.0,
        "estimated_start": start.isoformat(),
        "estimated_finish": (start + dt.timedelta(days=14)).isoformat(),
        "user_stories": [],
    }


def _dumped(project: Project, record: Record, with_due_date: bool) -> dict[str, Any]:
    """Write a record as an element of one of the lists of a dump."""
    finished = _dump_stamp(record.finished) if record.finished else None
    assigned = None if record.assigned is None else project.team[record.assigned].address
    found: dict[str, Any] = {
        "ref": record.ref,
        "subject": record.subject,
        "description": record.description,
        "status": _status(record),
        "created_date": _dump_stamp(record.created),
        "modified_date": finished or _dump_stamp(record.created),
        "owner": project.team[record.owner].address,
        "assigned_to": assigned,
        "is_blocked": False,
        "blocked_note": "",
        "tags": record.tags,
        "milestone": None,
        "watchers": [person.address for person in project.team[: record.step]],
        "attachments": [],
        "history": [_history(project, record)],
        "custom_attributes_values": {},
        "version": 1 + record.step,
    }
    found |= {"due_date": record.due.isoformat() if record.due else None} if with_due_date else {}
    if record.kind == "user_story":
        found |= {"is_closed": finished is not None, "finish_date": finished}
        return found | {"backlog_order": record.ref, "sprint_order": record.ref, "role_points": []}
    found["finished_date"] = finished
    if record.kind == "task":
        return found | {"user_story": record.story, "us_order": record.ref, "is_iocaine": False}
    level = {"priority": _PRIORITIES[record.level], "severity": _SEVERITIES[record.level]}
    return found | level | {"type": "Bug", "votes": []}


def _history(project: Project, record: Record) -> dict[str, Any]:
    return {
        "type": 2,
        "created_at": _dump_stamp(record.created),
        "user": [project.team[record.owner].address, record.ref],
        "comment": "",
        "snapshot": {"subject": record.subject, "description": record.description},
        "is_hidden": False,
    }


def _status(record: Record) -> str:
    """Choose a status that is closed just where the record is finished."""
    names = [
        name
        for name, closed in _STATUSES[_STATUSES_OF[record.kind]].items()
        if closed == (record.finished is not None)
    ]
    return names[record.step % len(names)]


def _user(project: Project, member: int) -> int:
    return project.number * 100 + member


def _dump_stamp(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}+0000"


def _api_stamp(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
