"""The deadline of one Jira issue: what was known when it first had a due date, and what came of it.

An issue as the Jira API gives it says how it is now. Here it is wound back by its changelog to the
moment at which a due date first stood there, mostly its creation: nothing that was learned later
is in what is asked about. Of texts only the number of characters is kept.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v2/ (issue, changelog).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.adapters.jira_history import objects
from jepa_ray.adapters.json_values import child, creation, moment, text_chars
from jepa_ray.windows import Skipped

DEADLINES = ".deadlines.jsonl.gz"
"""How a file of such lines is named."""


class _Change(NamedTuple):
    """One history: when, and what it changed."""

    at: dt.datetime
    items: list[dict[str, Any]]


def deadline_line(source_id: str | None, issue: dict[str, Any]) -> dict[str, Any] | Skipped:
    """A line of `*.deadlines.jsonl.gz`.

    Args:
        source_id: "Jira:id".
        issue: `key`, `fields` and `changelog`, as the API gives them.

    Returns:
        id, key, created, dueDate (the first that stood there), dueSet (since when; the creation
        where it came with the issue), resolved (None: open), type and priority (names or None),
        chars (characters of summary and description), changes and comments (how many); the last
        five as of dueSet. Times are on the stamps' own clocks, to the second, without offset.
        `Skipped`: without a changelog nothing can be wound back, or there never was a due date.

    Raises:
        NotReadableError: A time or a list in it is none, or the id is missing.
    """
    if not isinstance(issue.get("changelog"), dict):
        return Skipped("no_changelog")
    if source_id is None:
        raise NotReadableError("missing_field", "an issue needs an id")
    fields = issue["fields"]
    changes = _changes(issue["changelog"])
    created = creation(fields, "created")[0]
    first = _first_due(fields, changes, created)
    if first is None:
        return Skipped("never_due")
    since, due = first
    resolved = moment(fields, "resolutiondate")

    def then(name: str, now: Any) -> Any:
        change = _next_change(changes, name, since)
        return change.get("fromString") if change else now

    texts = [then(name, fields.get(name)) for name in ("summary", "description")]
    comments = objects(child(fields, "comment", "comments"))
    return {
        "id": source_id,
        "key": issue["key"],
        "created": _own_clock(created),
        "dueDate": due.isoformat(),
        "dueSet": _own_clock(since),
        "resolved": _own_clock(resolved[0]) if resolved else None,
        "type": _name(then("issuetype", fields.get("issuetype"))),
        "priority": _name(then("priority", fields.get("priority"))),
        "chars": sum(map(text_chars, texts)),
        "changes": sum(not _after(change.at, since) for change in changes),
        "comments": sum(not _after(creation(c, "created")[0], since) for c in comments),
    }


def _changes(changelog: dict[str, Any]) -> list[_Change]:
    """All histories, the oldest first."""
    found = [
        _Change(creation(history, "created")[0], objects(history.get("items")))
        for history in objects(changelog.get("histories"))
    ]
    return sorted(found, key=lambda change: _utc(change.at))


def _first_due(
    fields: dict[str, Any], changes: Sequence[_Change], created: dt.datetime
) -> tuple[dt.datetime, dt.date] | None:
    """Since when there was a due date, and which."""
    change = _next_change(changes, "duedate", created)
    if change is None:
        now = moment(fields, "duedate")
        return (created, now[0].date()) if now else None
    came_with_it = _day(change, "from")
    if came_with_it:
        return created, came_with_it
    for at, items in changes:
        for item in items:
            day = _day(item, "to") if item.get("field") == "duedate" else None
            if day and _after(at, created):
                return at, day
    return None


def _next_change(
    changes: Sequence[_Change], name: str, since: dt.datetime
) -> dict[str, Any] | None:
    """The first change of a field after a moment: what it comes from stood there at the moment."""
    later = (change.items for change in changes if _after(change.at, since))
    return next((item for items in later for item in items if item.get("field") == name), None)


def _day(item: dict[str, Any], side: str) -> dt.date | None:
    """A due date in a changelog, where a side has a value for programs and one for people."""
    value = item.get(side) or item.get(f"{side}String")
    if not value:
        return None
    found = moment({"a due date of the changelog": value}, "a due date of the changelog")
    return found[0].date() if found else None


def _name(value: Any) -> str | None:
    name = child(value, "name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else None


def _own_clock(when: dt.datetime) -> str:
    return when.replace(tzinfo=None).isoformat(timespec="seconds")


def _after(one: dt.datetime, other: dt.datetime) -> bool:
    return _utc(one) > _utc(other)


def _utc(when: dt.datetime) -> dt.datetime:
    """Comparable; a time without an offset is taken for UTC."""
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)
