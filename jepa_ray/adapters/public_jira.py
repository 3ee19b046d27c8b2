"""Public Jira: the reference run's normalised form, one issue per JSON line, or the dump itself.

Source: Montgomery, Lueders, Maalej: An Alternative Issue Tracking Dataset of Public Jira
Repositories, MSR 2022 (licence and citation: docs/sources.md).
A line is `{"id": "Jira:id", "key", "created", "dueDate", "summary", "description"}`; it becomes
one `Activity` of no duration at `created`. `dueDate` has no time and marks its whole day. The form
holds no priority, so `priority` is 0; a line that has one all the same is mapped. A document of the
dump is brought into that form (`jira_document`), so an issue gives the same window from either.
"""

import datetime as dt
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from jepa_ray.adapters.base import (
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    line_blocks,
    name_hasher,
)
from jepa_ray.adapters.jira_document import reference_issue
from jepa_ray.adapters.jira_dump import ARCHIVES, FOLDERS, dump_blocks, is_document, is_dump
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import BsonError, RawBlock, RawItem
from jepa_ray.windows import (
    NORMAL_PRIORITY,
    TEXT_CHARS_SCALE,
    Activity,
    ActivityBatch,
    Rejected,
    Skipped,
)

CONFIDENCE = 0.8
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
PRIORITIES = {
    "trivial": 0.0, "lowest": 0.0, "minor": 0.25, "low": 0.25, "medium": NORMAL_PRIORITY,
    "normal": NORMAL_PRIORITY, "major": 0.75, "high": 0.75, "critical": 0.9, "highest": 1.0,
    "blocker": 1.0,
}  # fmt: skip
_MAX_DIGITS = 20
_MAX_DOCUMENT_NODES = 100_000

_decode = msgspec.json.Decoder().decode


class PublicJira:
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
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """One shard a file: the normalised form, or else an archive, or else a folder of a dump."""
        return (
            file_shards(root, ("public_jira/*.jsonl.gz", "public_jira/*.jsonl"))
            or file_shards(root, ARCHIVES)
            or file_shards(root, FOLDERS)
        )

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines, or documents of a dump."""
        read = dump_blocks if is_dump(file.path) else line_blocks
        return read(file, self._config)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Issues of some chunks of lines, or documents of a dump."""
        return ActivityBatch.of(
            self.kind,
            chain.from_iterable(
                (self._document(f"{label}#{item.number}", item),)
                if is_document(item)
                else self._lines(label, item)
                for item in items
            ),
        )

    def _document(self, where: str, item: RawItem) -> Activity | Rejected | Skipped:
        try:
            issue = reference_issue(item.name, item.data)
        except BsonError as error:
            return Rejected(where, "malformed_document", str(error))
        return Skipped("not_an_issue") if issue is None else self._issue(where, issue)

    def _lines(self, label: str, item: RawItem) -> Iterator[Activity | Rejected]:
        for number, line in enumerate(item.data.split(b"\n"), start=item.number):
            if line.strip():
                yield self._line(f"{label}:{number}", line)

    def _line(self, where: str, line: bytes) -> Activity | Rejected:
        try:
            issue = _decode(line.removeprefix(BOM_UTF8))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Rejected(where, "malformed_line", f"not JSON: {_place(error)}")
        if not isinstance(issue, dict):
            return Rejected(
                where, "malformed_line", f"a JSON {type(issue).__name__}, not an object"
            )
        return self._issue(where, issue)

    def _issue(self, where: str, issue: dict[str, Any]) -> Activity | Rejected:
        source_id, created = issue.get("id"), issue.get("created")
        if not isinstance(source_id, str) or not source_id or not isinstance(created, str):
            return Rejected(where, "missing_field", "an issue needs the strings id and created")
        start, timed = _moment(created)
        due, _ = _moment(issue.get("dueDate"))
        if start is None or (issue.get("dueDate") and due is None):
            return Rejected(where, "bad_time", "created or dueDate is not an ISO 8601 date")
        for name, day in (("created", start), ("dueDate", due)):
            if day is not None and not EARLIEST <= day.date() < LATEST:
                return Rejected(where, "implausible_date", f"{name} lies in the year {day.year}")
        return self._activity(source_id, start, timed, due, issue)

    def _activity(
        self,
        source_id: str,
        start: dt.datetime,
        timed: bool,
        due: dt.datetime | None,
        issue: dict[str, Any],
    ) -> Activity:
        chars = _chars(issue.get("summary")) + _chars(issue.get("description"))
        return Activity(
            source_id=self._public_id(source_id),
            start=start,
            timed=timed,
            due=_due(issue.get("dueDate"), due),
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

    def _public_id(self, source_id: str) -> str:
        """The number, after a hash of the Jira: its name is a word that texts hold too."""
        jira, _, number = source_id.rpartition(":")
        if number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS:
            return f"{self._hash.hex(jira)[:8]}:{number}"
        return f"id-{self._hash.hex(source_id)}"


ADAPTER = PublicJira


def _moment(value: Any) -> tuple[dt.datetime | None, bool]:
    """A date or time stamp and whether it has a time; aware if it says its offset."""
    if not isinstance(value, str):
        return None, False
    try:
        return dt.datetime.fromisoformat(value), "T" in value or " " in value
    except ValueError:
        return None, False


def _due(value: Any, due: dt.datetime | None) -> dt.date | None:
    if due is None:
        return None
    return due if _moment(value)[1] else due.date()


def _priority(issue: dict[str, Any]) -> float:
    if "priority" not in issue:
        return 0.0
    name = issue["priority"]
    if isinstance(name, dict):
        name = name.get("name")
    return (
        PRIORITIES.get(name.lower(), NORMAL_PRIORITY) if isinstance(name, str) else NORMAL_PRIORITY
    )


def _chars(text: Any) -> int:
    """Characters of a text; of all text nodes where it is an Atlassian document."""
    if isinstance(text, str):
        return len(text)
    total = 0
    nodes = [text]
    for _ in range(_MAX_DOCUMENT_NODES):
        if not nodes:
            break
        node = nodes.pop()
        if isinstance(node, dict):
            found = node.get("text")
            total += len(found) if isinstance(found, str) else 0
            nodes.append(node.get("content"))
        elif isinstance(node, list):
            nodes.extend(node)
    return total


def _place(error: Exception) -> str:
    """Where a line breaks, from the decoder's message; it never quotes the line."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    return str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
