"""Taiga: user stories, tasks and issues, from a project's export dump or from lists of the API.

Source: https://docs.taiga.io (licence and citation: docs/sources.md).
One record becomes one `Activity` of no duration at its UTC `created_date`. A dump is one JSON
object with the three lists in it; the API answers with an array, or an object for a single record.
Epics and milestones are skipped: they group records, nobody does them.

Whether a record is closed is what its status says in the dump, else `is_closed`, else whether it
has a finish date (`finish_date` of stories, `finished_date` of the others), which may lie before
its creation. Stories and tasks have no priority of their own: it counts as unset, so 0.5.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from jepa_ray.adapters.base import (
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    json_blocks,
    name_hasher,
)
from jepa_ray.adapters.json_values import (
    NotReadableError,
    chars,
    child,
    creation,
    decode_object,
    due,
    moment,
    priority,
    whole_number,
)
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import TEXT_CHARS_SCALE, Activity, ActivityBatch, Rejected, Skipped

CONFIDENCE = 0.85
_LISTS = {"user_stories": "user_story", "tasks": "task", "issues": "issue"}
_STATUSES = {"user_story": "us_statuses", "task": "task_statuses", "issue": "issue_statuses"}
Outcome = Activity | Rejected | Skipped


class ProjectTaiga:
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

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """One shard a file."""
        return file_shards(root, (self.info.path, f"{self.info.path}.gz"))

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Records of a list, or the dump as one item."""
        return json_blocks(file, self._config)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Records of some items."""
        outcomes = [o for item in items for o in self._item(f"{label}#{item.number}", item.data)]
        return ActivityBatch.of(self.kind, outcomes)

    def _item(self, where: str, data: bytes) -> Iterator[Outcome]:
        try:
            found = decode_object(data)
        except NotReadableError as error:
            yield Rejected(where, error.slug, error.detail)
            return
        if not _is_dump(found):
            yield self._record(where, found, _kind(found), {})
            return
        for name, kind in _LISTS.items():
            records = found.get(name)
            for number, record in enumerate(records if isinstance(records, list) else [], 1):
                place = f"{where}:{name}[{number}]"
                if isinstance(record, dict):
                    yield self._record(place, record, kind, found)
                else:
                    yield Rejected(place, "malformed_json", "the record is not an object")

    def _record(
        self, where: str, record: dict[str, Any], kind: str, dump: dict[str, Any]
    ) -> Outcome:
        if kind in ("epic", "milestone"):
            return Skipped(kind)
        try:
            return self._activity(record, kind, dump)
        except NotReadableError as error:
            return Rejected(where, error.slug, error.detail)

    def _activity(self, record: dict[str, Any], kind: str, dump: dict[str, Any]) -> Activity:
        number = whole_number(record.get("ref" if dump else "id"))
        if not kind or number is None:
            detail = "this is no story, task or issue with a number" + " (ref)" * bool(dump)
            raise NotReadableError("missing_field", detail)
        start, timed = creation(record, "created_date")
        finished = moment(record, "finish_date") or moment(record, "finished_date")
        early = finished is not None and finished[0].date() < start.date()
        project = self._project(record, dump)
        text = chars(record.get("subject"), record.get("description"))
        names = child(record, "priority_extra_info", "name") or record.get("priority")
        return Activity(
            source_id=f"{project:016x}"[:8] + f"-{kind}-{number}",
            start=start,
            timed=timed,
            due=due(record, "due_date"),
            features={
                "task": 1.0,
                "project_activity": 1.0,
                "priority": priority(names),
                "text_length": text / TEXT_CHARS_SCALE,
                "completion": float(_closed(record, kind, dump, finished is not None)),
                "source_confidence": CONFIDENCE,
            },
            actor=self._person(record.get("owner")),
            project=project,
            category=kind,
            metadata=msgspec.json.encode({"finished_before_created": True}).decode()
            if early
            else None,
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
