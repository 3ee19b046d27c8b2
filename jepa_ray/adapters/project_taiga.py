"""Taiga: user stories, tasks and issues, from a project's export dump or from lists of the API.

Source: https://docs.taiga.io (licence and citation: docs/sources.md).
One record becomes one `Activity` of no duration at its UTC `created_date`. A dump is one JSON
object with the three lists in it; the API answers with an array, or an object for a single record.
Epics and milestones are skipped: they group records, nobody does them.

Whether a record is closed is what its status says in the dump, else `is_closed`, else whether it
has a finish date (`finish_date` of stories, `finished_date` of the others), which may lie before
its creation. Stories and tasks have no priority of their own: it counts as unset, so 0.5.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from jepa_ray.adapters.base import NotReadableError, SourceInfo
from jepa_ray.adapters.json_values import (
    chars,
    child,
    creation,
    due,
    encode,
    moment,
    priority,
    whole_number,
)
from jepa_ray.adapters.record_adapters import JsonAdapter
from jepa_ray.readers import RawItem
from jepa_ray.windows import TEXT_CHARS_SCALE, Activity, Skipped

CONFIDENCE = 0.85
_LISTS = {"user_stories": "user_story", "tasks": "task", "issues": "issue"}
_STATUSES = {"user_story": "us_statuses", "task": "task_statuses", "issue": "issue_statuses"}


class _Record(NamedTuple):
    """A record, its kind, and the dump that it stands in ({} where it comes from the API)."""

    fields: Any
    kind: str
    dump: dict[str, Any]


class ProjectTaiga(JsonAdapter):
    """Adapter of the dataset `project_taiga`."""

    info: ClassVar = SourceInfo(
        dataset="project_taiga",
        group="issues",
        path="project_apis/taiga/*.json",
        licence="that of your project; the public samples are MPL-2.0 (taiga-doc)",
        how_to_get="Taiga: Admin > Project > Export (dump.json), or GET /api/v1/userstories, "
        "/tasks and /issues with the header x-disable-pagination",
        citation="Taiga documentation, https://github.com/taigaio/taiga-doc",
    )
    version: ClassVar = 1
    kind: ClassVar = "project_record"

    def records(self, item: RawItem) -> Iterator[tuple[str, _Record]]:
        """The records of a dump's three lists, or the one record of the API."""
        for where, found in super().records(item):
            if not _is_dump(found):
                yield where, _Record(found, _kind(found), {})
                continue
            for name, kind in _LISTS.items():
                records = found.get(name)
                for number, record in enumerate(records if isinstance(records, list) else [], 1):
                    yield f"{where}:{name}[{number}]", _Record(record, kind, found)

    def activity(self, record: _Record) -> Activity | Skipped:
        """One story, task or issue."""
        fields, kind, dump = record
        if not isinstance(fields, dict):
            raise NotReadableError("malformed_json", "the record is not an object")
        if kind in ("epic", "milestone"):
            return Skipped(kind)
        number = whole_number(fields.get("ref" if dump else "id"))
        if not kind or number is None:
            detail = "this is no story, task or issue with a number" + " (ref)" * bool(dump)
            raise NotReadableError("missing_field", detail)
        start, timed = creation(fields, "created_date")
        finished = moment(fields, "finish_date") or moment(fields, "finished_date")
        early = finished is not None and finished[0].date() < start.date()
        project = self._project(fields, dump)
        text = chars(fields.get("subject"), fields.get("description"))
        names = child(fields, "priority_extra_info", "name") or fields.get("priority")
        return Activity(
            source_id=f"{project:016x}"[:8] + f"-{kind}-{number}",
            start=start,
            timed=timed,
            due=due(fields, "due_date"),
            features={
                "task": 1.0,
                "project_activity": 1.0,
                "priority": priority(names),
                "text_length": text / TEXT_CHARS_SCALE,
                "completion": float(_closed(fields, kind, dump, finished is not None)),
                "source_confidence": CONFIDENCE,
            },
            actor=self._person(fields.get("owner")),
            project=project,
            category=kind,
            metadata=encode({"finished_before_created": True}) if early else None,
        )

    def _project(self, record: dict[str, Any], dump: dict[str, Any]) -> int:
        """The slug stands in both forms; a list may have the number alone."""
        slug = dump.get("slug") or child(record, "project_extra_info", "slug")
        name = slug if isinstance(slug, str) else whole_number(record.get("project"))
        return self._hash(f"project {name}") if name is not None else 0

    def _person(self, owner: Any) -> int:
        """An address in the dump, a number in the API."""
        known = owner if isinstance(owner, str) else whole_number(owner)
        return self._hash(f"user {known}") if known else 0


ADAPTER = ProjectTaiga


def _is_dump(found: dict[str, Any]) -> bool:
    """A dump has the lists; a story may list its tasks too, a milestone its stories."""
    lists = [name for name in _LISTS if isinstance(found.get(name), list)]
    return bool(lists) and "subject" not in found and "estimated_start" not in found


def _kind(record: dict[str, Any]) -> str:
    """What a record of the API is, by the fields that only its kind has; "" for none we know."""
    if "estimated_start" in record and "subject" not in record:
        return "milestone"
    for field, kind in (
        ("epics_order", "epic"),
        ("us_order", "task"),
        ("taskboard_order", "task"),
        ("severity", "issue"),
        ("backlog_order", "user_story"),
        ("kanban_order", "user_story"),
    ):
        if field in record:
            return kind
    return ""


def _closed(record: dict[str, Any], kind: str, dump: dict[str, Any], finished: bool) -> bool:
    statuses = dump.get(_STATUSES[kind])
    for status in statuses if isinstance(statuses, list) else []:
        name, closed = child(status, "name"), child(status, "is_closed")
        if name == record.get("status") and isinstance(closed, bool):
            return closed
    closed = record.get("is_closed")
    return closed if isinstance(closed, bool) else finished
