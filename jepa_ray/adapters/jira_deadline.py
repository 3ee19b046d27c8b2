"""The deadline of one Jira issue: what was known when it first had a due date, and what came of it.

An issue as the Jira API gives it says how it is now. Here it is wound back by its changelog to the
moment at which a due date first stood there, mostly its creation: nothing that was learned later
is in what is asked about. Of texts only the number of characters is kept.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v2/ (issue, changelog; a search
gives no more than the newest histories of an issue).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.adapters.jira_history import objects
from jepa_ray.adapters.json_values import child, creation, moment, text_chars
from jepa_ray.adapters.record_adapters import is_number
from jepa_ray.windows import Skipped

DEADLINES = ".deadlines.jsonl.gz"
"""How a file of such lines is named."""


def is_deadlines(name: str) -> bool:
    """Whether a file is named so, compressed in either way."""
    return name.removesuffix(".zst").endswith((DEADLINES, DEADLINES.removesuffix(".gz")))


class _Change(NamedTuple):
    """One history: when, and what it changed, by field."""

    at: dt.datetime
    items: dict[str, dict[str, Any]]


def deadline_line(source_id: str | None, issue: dict[str, Any]) -> dict[str, Any] | Skipped:
    """A line of `*.deadlines.jsonl.gz`.

    Args:
        source_id: "Jira:id".
        issue: `key`, `fields` and `changelog`, as the API gives them.

    Returns:
        id, key, created, dueDate (the first that stood there), dueSet (since when; the creation
        where it came with the issue), resolved (the first time from then on that there was a
        resolution; dueSet if there was one already; None: open all along), updated (when the issue
        was last heard of), type (Jira's id of it, else its name), priority (a name or None), chars
        (characters of summary and description), changes (how many); the last four as of dueSet.
        Times are on the stamps' own clocks, to the second, without offset. `Skipped`: without a
        whole changelog nothing can be wound back, or there never was a due date.

    Raises:
        NotReadableError: A time or a list in it is none, or the id is missing.
    """
    if source_id is None:
        raise NotReadableError("missing_field", "an issue needs an id")
    changelog, fields = issue.get("changelog"), issue["fields"]
    if not isinstance(changelog, dict) or not isinstance(changelog.get("histories"), list):
        return Skipped("no_changelog")
    if _is_cut(changelog):
        return Skipped("cut_changelog")
    changes = _changes(changelog)
    created = creation(fields, "created")[0]
    first = _first_due(fields, changes, created)
    if first is None:
        return Skipped("never_due")
    since, due = first

    def then(name: str, now: Any) -> Any:
        change = _next_change(changes, name, since)
        return change.get("fromString") if change else now

    kind, resolved = fields.get("issuetype"), _first_resolution(fields, changes, since)
    heard = [moment(fields, "updated"), (created, True), *((c.at, True) for c in changes[-1:])]
    return {
        "id": source_id,
        "key": issue["key"],
        "created": _own_clock(created),
        "dueDate": due.isoformat(),
        "dueSet": _own_clock(since),
        "resolved": _own_clock(resolved) if resolved else None,
        "updated": _own_clock(max((told[0] for told in heard if told), key=_utc)),
        "type": _type(_next_change(changes, "issuetype", since), kind),
        "priority": _text(then("priority", child(fields.get("priority"), "name"))),
        "chars": sum(text_chars(then(n, fields.get(n))) for n in ("summary", "description")),
        "changes": sum(not _after(change.at, since) for change in changes),
    }


def _is_cut(changelog: dict[str, Any]) -> bool:
    """Whether it holds the newest histories only, as a search of the API gives them."""
    total, at = changelog.get("total"), changelog.get("startAt")
    some = isinstance(total, int) and total > len(changelog["histories"])
    return some or bool(at)


def _changes(changelog: dict[str, Any]) -> list[_Change]:
    """All histories, the oldest first; of one second by their ids, which count up."""
    histories = objects(changelog["histories"])
    numbers = [str(history.get("id")) for history in histories]
    keyed = [
        (
            _utc(at := creation(history, "created")[0]),
            int(number) if is_number(number) else 0,
            _Change(at, {_field(item): item for item in objects(history.get("items"))[::-1]}),
        )
        for history, number in zip(histories, numbers, strict=True)
    ]
    return [change for _, _, change in sorted(keyed, key=lambda each: each[:2])]


def _field(item: dict[str, Any]) -> str:
    """What an item changed: "issuetype" and "Issue Type" are the same."""
    return "".join(str(item.get("field")).split()).casefold()


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
        if _after(at, created) and "duedate" in items and (day := _day(items["duedate"], "to")):
            return at, day
    return None


def _first_resolution(
    fields: dict[str, Any], changes: Sequence[_Change], since: dt.datetime
) -> dt.datetime | None:
    """The first time from a moment on that there was a resolution."""
    last = moment(fields, "resolutiondate")
    change = _next_change(changes, "resolution", since)
    if change is None:
        return max(last[0], since, key=_utc) if last else None
    if change.get("fromString") or change.get("from"):
        return since
    for at, items in changes:
        found = items.get("resolution", {}) if _after(at, since) else {}
        if found.get("toString") or found.get("to"):
            return at
    return last[0] if last else None


def _next_change(
    changes: Sequence[_Change], name: str, since: dt.datetime
) -> dict[str, Any] | None:
    """The first change of a field after a moment: what it comes from stood there at the moment."""
    return next((c.items[name] for c in changes if name in c.items and _after(c.at, since)), None)


def _type(change: dict[str, Any] | None, now: Any) -> str | None:
    """By its id where there is one: names are renamed, and an old one would tell of a change."""
    if change:
        return _text(change.get("from")) or _text(change.get("fromString"))
    return _text(child(now, "id")) or _text(child(now, "name"))


def _day(item: dict[str, Any], side: str) -> dt.date | None:
    """A due date in a changelog, where a side has a value for programs and one for people."""
    value = item.get(side) or item.get(f"{side}String")
    if not value:
        return None
    found = moment({"a due date of the changelog": value}, "a due date of the changelog")
    return found[0].date() if found else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _own_clock(when: dt.datetime) -> str:
    return when.replace(tzinfo=None).isoformat(timespec="seconds")


def _after(one: dt.datetime, other: dt.datetime) -> bool:
    return _utc(one) > _utc(other)


def _utc(when: dt.datetime) -> dt.datetime:
    """Comparable; a time without an offset is taken for UTC."""
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)
