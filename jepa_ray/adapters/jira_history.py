"""What people did with one Jira issue, each an activity of its own: for `actor_day` windowing.

An issue as the Jira API gives it, with its changelog, becomes: created (by the creator), updated
(each history, by its author), commented (each comment, by its author), resolved (by the author of
the history that set the resolution then, else by the assignee) and due (of the assignee, else of
the creator; the whole day). The first is the record, the others are `expanded`.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v2/ (issue, changelog, comment).
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.adapters.json_values import child, creation, due, moment, text_chars
from jepa_ray.windows import TEXT_CHARS_SCALE, Activity

_NAMES = ("accountId", "key", "name", "emailAddress", "displayName")
_MAX_ACTIVITIES = 100_000


class IssueHistory:
    """Reads the activities of one issue after the other."""

    def __init__(
        self,
        hash_name: Callable[[str], int],
        *,
        confidence: float,
        priority: Callable[[dict[str, Any]], float],
    ) -> None:
        """What all issues share.

        Args:
            hash_name: Salted hash of a name.
            confidence: Of the source.
            priority: In [0, 1], of the fields of an issue.
        """
        self._hash = hash_name
        self._confidence = confidence
        self._priority = priority

    def activities(
        self, jira: str, source_id: str, project: int, issue: dict[str, Any]
    ) -> Iterator[Activity]:
        """All that was done.

        Args:
            jira: Name of the Jira: the same name elsewhere is somebody else.
            source_id: Of the issue.
            project: Hash of its project.
            issue: `fields`, and `changelog` where it is known.

        Raises:
            NotReadableError: A time or a list in it is none.
        """
        fields = issue["fields"]
        common = {
            "task": 1.0,
            "project_activity": 1.0,
            "priority": self._priority(fields),
            "source_confidence": self._confidence,
        }

        def done(
            what: str, by: Any, when: tuple[dt.datetime, bool] | None, **more: float
        ) -> Activity:
            start, timed = when or (None, False)
            return Activity(
                source_id=f"{source_id}-{what}",
                start=start,
                timed=timed,
                features={**common, **more},
                actor=self._person(jira, by),
                project=project,
                category=what,
                expanded=what != "created",
            )

        author = fields.get("creator") or fields.get("reporter")
        chars = text_chars(fields.get("summary")) + text_chars(fields.get("description"))
        text = chars / TEXT_CHARS_SCALE
        yield done("created", author, creation(fields, "created"), text_length=text)
        histories = objects(child(issue, "changelog", "histories"))
        for history in histories:
            yield done("updated", history.get("author"), creation(history, "created"))
        for comment in objects(child(fields, "comment", "comments")):
            text = text_chars(comment.get("body")) / TEXT_CHARS_SCALE
            when = creation(comment, "created")
            yield done("commented", comment.get("author"), when, text_length=text)
        assignee = fields.get("assignee")
        resolved = moment(fields, "resolutiondate")
        if resolved:
            by = _who_resolved(histories, resolved[0]) or assignee
            yield done("resolved", by, resolved, completion=1.0)
        deadline = due(fields, "duedate")
        if deadline is not None:
            owner = self._person(jira, assignee) or self._person(jira, author)
            yield Activity(
                source_id=f"{source_id}-due",
                start=None,
                due=deadline,
                features={"source_confidence": self._confidence},
                actor=owner,
                project=project,
                category="due",
                expanded=True,
            )

    def _person(self, jira: str, user: Any) -> int:
        """Hash of a user; 0 for nobody known."""
        if isinstance(user, Mapping):
            user = next((user[n] for n in _NAMES if user.get(n)), None)
        return self._hash(f"{jira}:{user}") if isinstance(user, str) and user else 0


def objects(value: Any) -> list[dict[str, Any]]:
    """A list of objects; [] where there is none.

    Raises:
        NotReadableError: It is another value, or longer than any history.
    """
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise NotReadableError(
            "bad_field", "histories, their items or comments are not a list of objects"
        )
    if len(found) > _MAX_ACTIVITIES:
        raise NotReadableError("bad_field", f"more than {_MAX_ACTIVITIES} histories or comments")
    return found


def _who_resolved(histories: list[dict[str, Any]], when: dt.datetime) -> Any:
    """The author of the history that set a resolution at a time, to the second."""
    for history in histories:
        items = history.get("items")
        fields = [child(item, "field") for item in items] if isinstance(items, list) else []
        if "resolution" in fields and _same_second(creation(history, "created")[0], when):
            return history.get("author")
    return None


def _same_second(one: dt.datetime, other: dt.datetime) -> bool:
    if (one.tzinfo is None) != (other.tzinfo is None):
        one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return abs(one - other) < dt.timedelta(seconds=1)
