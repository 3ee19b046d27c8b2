"""Public Jira: the reference run's normalised form, one issue per JSON line, or the dump itself.

Source: Montgomery, Lueders, Maalej: An Alternative Issue Tracking Dataset of Public Jira
Repositories, MSR 2022 (licence and citation: docs/sources.md).
A line is `{"id": "Jira:id", "key", "created", "dueDate", "summary", "description"}`; it becomes
one `Activity` of no duration at `created`. `dueDate` has no time and marks its whole day. The form
holds no priority, so `priority` is 0; a line that has one all the same is mapped. A document of the
dump is brought into that form (`jira_document`), so an issue gives the same window from either.

For `actor_day` windowing (`activities`) the dump and the raw issues of the API in
`public_jira/rest/*.tar.gz` come first, since they know who did what and when (`jira_history`); the
normalised form, which knows neither authors nor changes, only where there is neither.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jepa_ray.adapters.base import (
    NotReadableError,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    line_blocks,
    shards_of,
    source_stream,
)
from jepa_ray.adapters.jira_deadline import is_deadlines
from jepa_ray.adapters.jira_document import reference_issue, whole_issue
from jepa_ray.adapters.jira_dump import ARCHIVES, FOLDERS, dump_blocks, is_document, is_dump
from jepa_ray.adapters.jira_history import IssueHistory
from jepa_ray.adapters.jira_rest import REST, is_rest, jira_of, rest_issue
from jepa_ray.adapters.json_values import (
    PRIORITIES,
    creation,
    decode_object,
    due,
    priority,
    text_chars,
)
from jepa_ray.adapters.record_adapters import LineAdapter, is_number
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import BsonError, RawBlock, RawItem, blocks_of, tar_members
from jepa_ray.windows import TEXT_CHARS_SCALE, Activity, ActivityBatch, Rejected, Skipped

CONFIDENCE = 0.8
_PRIORITIES = PRIORITIES | {
    "trivial": 0.0, "minor": 0.25, "major": 0.75, "critical": 0.9, "blocker": 1.0,
}  # fmt: skip


class PublicJira(LineAdapter):
    """Adapter of the dataset `public_jira`."""

    info: ClassVar = SourceInfo(
        dataset="public_jira",
        group="issues",
        path="public_jira/*.normalized.jsonl.gz, or else public_jira/*.archive",
        licence="CC-BY-4.0",
        how_to_get="https://zenodo.org/records/5901804 (6.3 GB); its mongodump archive "
        "is read as it is, without MongoDB: docs/jira-dump.md",
        citation="Montgomery, Lueders, Maalej: An Alternative Issue Tracking Dataset of Public "
        "Jira Repositories, MSR 2022",
    )
    version: ClassVar = 1
    kind: ClassVar = "issue"

    def __init__(self, config: PrepareConfig) -> None:
        super().__init__(config)
        self._history = IssueHistory(self._hash, confidence=CONFIDENCE, priority=_priority)

    def shards(self, root: Path) -> list[Shard]:
        """One shard a file: the normalised form, or else an archive, or else a folder of a dump."""
        if self._config.windowing == "actor_day":
            dump = file_shards(root, ARCHIVES) or file_shards(root, FOLDERS)
            known = [*dump, *file_shards(root, REST)]
            if known:
                return [Shard(i, shard.files) for i, shard in enumerate(known)]
        lines = file_shards(root, ("public_jira/*.jsonl.gz", "public_jira/*.jsonl"))
        files = [shard.files[0] for shard in lines if not is_deadlines(shard.files[0].label)]
        return shards_of(files, 0) or file_shards(root, ARCHIVES) or file_shards(root, FOLDERS)

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines, documents of a dump, or answers of the API."""
        if is_rest(file.label):
            return self._rest_blocks(file)
        read = dump_blocks if is_dump(file.path) else line_blocks
        return read(file, self._config)

    def _rest_blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        with source_stream(file.path, self._config) as stream:
            members = tar_members(stream, max_member_bytes=self._config.max_record_bytes)
            yield from blocks_of(members, self._config.raw_block_bytes)

    def activities(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """All that was done with some issues; of the normalised form that they were created."""
        outcomes: list[Activity | Rejected | Skipped] = []
        for item in items:
            if not (is_rest(label) or is_document(item)):
                return self.parse(label, items)
            try:
                outcomes += self._activities(label, item)
            except NotReadableError as error:
                outcomes.append(Rejected(f"{label}#{item.number}", error.slug, error.detail))
        return ActivityBatch.of(self.kind, outcomes)

    def _activities(self, label: str, item: RawItem) -> list[Activity | Skipped]:
        if is_rest(label):
            issue = rest_issue(item.data)
            if issue is None:
                return [Skipped("comments_of_an_issue")]
            source_id = f"{jira_of(label)}:{issue.get('id')}"
        else:
            try:
                issue = whole_issue(item.name, item.data)
            except BsonError as error:
                raise NotReadableError("malformed_document", str(error)) from None
            if issue is None:
                return [Skipped("not_an_issue")]
            if issue["id"] is None:
                raise NotReadableError("missing_field", "an issue needs an id")
            source_id = issue["id"]
        jira, project = source_id.partition(":")[0], self._project(source_id, issue["key"])
        return [*self._history.activities(jira, self._issue_id(source_id), project, issue)]

    def records(self, item: RawItem) -> Iterator[tuple[str, RawItem]]:
        """The lines of a chunk; a document, which has the name of its collection, as it is."""
        return iter([(f"#{item.number}", item)]) if is_document(item) else super().records(item)

    def activity(self, record: RawItem) -> Activity | Skipped:
        """One issue: a line, or a document of the dump."""
        if not is_document(record):
            data = record.data.removeprefix(BOM_UTF8)
            return self._issue(decode_object(data, "malformed_line"))
        try:
            issue = reference_issue(record.name, record.data)
        except BsonError as error:
            raise NotReadableError("malformed_document", str(error)) from None
        return Skipped("not_an_issue") if issue is None else self._issue(issue)

    def _issue(self, issue: dict[str, Any]) -> Activity:
        source_id, created = issue.get("id"), issue.get("created")
        if not isinstance(source_id, str) or not source_id or not isinstance(created, str):
            raise NotReadableError("missing_field", "an issue needs the strings id and created")
        start, timed = creation(issue, "created")
        chars = text_chars(issue.get("summary")) + text_chars(issue.get("description"))
        return Activity(
            source_id=self._issue_id(source_id),
            start=start,
            timed=timed,
            due=due(issue, "dueDate"),
            features={
                "task": 1.0,
                "project_activity": 1.0,
                "priority": _priority(issue),
                "text_length": chars / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            project=self._project(source_id, issue.get("key")),
        )

    def _project(self, source_id: str, key: Any) -> int:
        jira = source_id.partition(":")[0]
        project = key.rpartition("-")[0] if isinstance(key, str) else ""
        return self._hash(f"{jira}:{project}") if project else 0

    def _issue_id(self, source_id: str) -> str:
        """The number, after a hash of the Jira: its name is a word that texts hold too."""
        jira, _, number = source_id.rpartition(":")
        if is_number(number):
            return f"{self._hash.hex(jira)[:8]}:{number}"
        return f"id-{self._hash.hex(source_id)}"


ADAPTER = PublicJira


def _priority(issue: dict[str, Any]) -> float:
    if "priority" not in issue:
        return 0.0
    name = issue["priority"]
    return priority(name.get("name") if isinstance(name, dict) else name, _PRIORITIES)
