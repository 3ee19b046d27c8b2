"""What is written of one Jira issue, whether it comes from the dump or from answers of the API.

A form takes the raw item and, for an answer of the API, which does not say it, the name of the
Jira. It gives the object of a line, or says why there is none.
"""

from collections.abc import Callable
from typing import Any

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.adapters.jira_deadline import deadline_line
from jepa_ray.adapters.jira_document import (
    never_due,
    own_clock,
    reference_issue,
    source_id,
    whole_issue,
)
from jepa_ray.adapters.jira_redaction import Redaction
from jepa_ray.adapters.jira_rest import rest_issue
from jepa_ray.readers import RawItem
from jepa_ray.windows import Skipped

Form = Callable[[RawItem, str | None], dict[str, Any] | Skipped]
_NO_ISSUE = Skipped("not_an_issue")
_COMMENTS = Skipped("comments_of_an_issue")


def reference(item: RawItem, jira: str | None) -> dict[str, Any] | Skipped:
    """The reference form.

    Raises:
        BsonError, NotReadableError: It cannot be read.
    """
    if jira is None:
        return reference_issue(item.name, item.data) or _NO_ISSUE
    issue = rest_issue(item.data)
    if issue is None:
        return _COMMENTS
    fields = issue["fields"]
    return {
        "id": source_id(jira, issue.get("id")),
        "key": issue["key"],
        "created": own_clock(fields.get("created")),
        "dueDate": own_clock(fields.get("duedate")),
        "summary": fields.get("summary"),
        "description": fields.get("description"),
    }


def redacted() -> Form:
    """The reference form without texts, which knows one state: how far its filler is."""
    redaction = Redaction()

    def form(item: RawItem, jira: str | None) -> dict[str, Any] | Skipped:
        issue = reference(item, jira)
        if isinstance(issue, Skipped):
            return issue
        said = redaction.issue(issue)
        if said is None:
            raise NotReadableError("bad_time", "a time of an issue is something else")
        return said

    return form


def deadline(item: RawItem, jira: str | None) -> dict[str, Any] | Skipped:
    """What was known when the issue first had a due date, and what came of it.

    Raises:
        BsonError, NotReadableError: It cannot be read.
    """
    if jira is None:
        if never_due(item.data):
            return Skipped("never_due")
        issue = whole_issue(item.name, item.data)
        return _NO_ISSUE if issue is None else deadline_line(issue["id"], issue)
    answer = rest_issue(item.data)
    if answer and "resolutiondate" not in answer["fields"]:  # asked for without it: not open
        raise NotReadableError("missing_field", "there is no resolutiondate, not even null")
    return _COMMENTS if answer is None else deadline_line(source_id(jira, answer.get("id")), answer)
