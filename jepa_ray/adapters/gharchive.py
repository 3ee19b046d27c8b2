"""GH Archive: one event per line of an hourly `YYYY-MM-DD-H.json.gz` file.

Source: https://www.gharchive.org (licence and citation: docs/sources.md).
One line becomes one `Activity` of no duration at its `created_at`: UTC since 2015, with an offset
of its own before. Both schemas are read: 2015+ (`actor`, `repo` objects, `id`) and 2011-2014
(`actor` a string, `repository`, no `id`: the hash of the line stands for it).

Fast path: a chunk of lines is decoded at once into typed structs and goes into columns. A chunk
that does not decode that way is taken line by line, leniently, so that each bad line is found.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters.base import Shard, SourceFile, SourceInfo, file_shards, line_blocks
from jepa_ray.adapters.github_event import (
    EARLIEST,
    ISSUE,
    LATEST,
    Events,
    actor_name,
    categories,
    category,
    closes,
    line_id,
    parse_time,
    repository_name,
    texts,
    utc_us,
)
from jepa_ray.adapters.record_adapters import MAX_DIGITS, FileAdapter
from jepa_ray.readers import RawBlock, RawItem, json_pieces
from jepa_ray.windows import (
    INDEX,
    POSITIONS,
    STORED,
    TEXT_CHARS_SCALE,
    Activity,
    ActivityBatch,
    Columns,
    Rejected,
)

CONFIDENCE = 0.9
_EVENT_STARTS = re.compile(r'\{"(?=id"|created_at"|type"|repo"|repository"|actor"|public")')
_SHARD_BYTES = 4 << 20


class GHArchive(FileAdapter):
    """Adapter of the dataset `gharchive`."""

    info: ClassVar = SourceInfo(
        dataset="gharchive",
        group="code",
        path="gharchive/*.json.gz",
        licence="CC-BY-4.0",
        how_to_get="https://data.gharchive.org/YYYY-MM-DD-H.json.gz, one file an hour, any hours",
        citation="I. Grigorik: GH Archive, https://www.gharchive.org",
        aliases=("gharchive_2026_06_09",),
    )
    version: ClassVar = 1
    kind: ClassVar = "code_event"

    def shards(self, root: Path) -> list[Shard]:
        """One shard an hour; small neighbours share one."""
        patterns = ("gharchive/*.json.gz", "gharchive/*.json")
        return file_shards(root, patterns, shard_bytes=_SHARD_BYTES)

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines."""
        return line_blocks(file, self._config)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Events of some chunks: all at once, or chunk by chunk where one of them is odd."""
        whole = self._columns(items)
        if whole is not None:
            return whole
        return ActivityBatch.join(self.kind, [self._chunk(label, item) for item in items])

    def _chunk(self, label: str, item: RawItem) -> ActivityBatch:
        plain = self._columns([item])
        return plain or ActivityBatch.of(self.kind, self._line_by_line(label, item))

    def _columns(self, items: Sequence[RawItem]) -> ActivityBatch | None:
        """The fast path; None if one line is not of the schema of today."""
        try:
            found = Events.decode(item.data for item in items)
            start_us = utc_us("".join(found.stamps), len(found.id))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
            return None
        if "" in found.login:
            return None
        ids, values = self._public_ids(found.id), _values(found)
        columns = Columns.instants(ids, start_us, values, offset_minutes=0)
        columns.actor = self._hash.many(found.login)
        columns.project = self._hash.many(found.repository)
        if "" in found.repository:
            columns.project[[not name for name in found.repository]] = 0
        columns.category = categories(found.type)
        return ActivityBatch(self.kind, columns, records=len(ids))

    def _public_ids(self, ids: list[str]) -> list[str]:
        """All as `public_id` has them; plain ones without a call each."""
        text = "".join(ids)
        plain = text.isascii() and text.isdigit() and all(ids) and max(map(len, ids)) <= MAX_DIGITS
        return ids if plain else [self.public_id(found) for found in ids]

    def _line_by_line(self, label: str, item: RawItem) -> Iterator[Activity | Rejected]:
        for number, line in enumerate(item.data.split(b"\n"), start=item.number):
            where = f"{label}:{number}"
            for piece in json_pieces(line, _EVENT_STARTS, ("type", "created_at", "actor")):
                if isinstance(piece, str):
                    yield Rejected(where, "malformed_line", piece)
                else:
                    yield self._event(where, piece[1], piece[0])

    def _event(self, where: str, raw: str, event: dict[str, Any]) -> Activity | Rejected:
        """The lenient reading of one event: core fields must be right, the rest may be odd."""
        kind = event.get("type")
        stamp = event.get("created_at")
        actor = actor_name(event.get("actor"))
        if not isinstance(kind, str) or not isinstance(stamp, str) or actor is None:
            return Rejected(where, "missing_field", "an event needs type, actor and created_at")
        start = parse_time(stamp)
        if start is None:
            return Rejected(where, "bad_time", "created_at is not a time stamp")
        if not EARLIEST <= start.replace(tzinfo=None) < LATEST:
            return Rejected(where, "implausible_date", f"created_at lies in the year {start.year}")
        found = event.get("id")
        payload = event.get("payload")
        found_texts = texts(payload if isinstance(payload, dict) else {})
        repo = repository_name(event.get("repo"), event.get("repository"))
        action = payload.get("action") if isinstance(payload, dict) else None
        return Activity(
            source_id=self.public_id(str(found))
            if isinstance(found, str | int) and not isinstance(found, bool)
            else line_id(raw),
            start=start,
            features={
                "project_activity": 1.0,
                "code_activity": 1.0,
                "task": float(kind == ISSUE),
                "completion": float(closes(kind, action)),
                "text_length": sum(map(len, found_texts)) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(actor),
            project=self._hash(repo) if repo else 0,
            category=category(kind),
        )


ADAPTER = GHArchive


def _numbers(values: list[int]) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64, len(values))


def _values(events: Events) -> NDArray[np.float32]:
    """Stored features of decoded events: float32 (n, 14)."""
    values = np.zeros((len(events.id), len(STORED)), np.float32)

    def column(name: str) -> NDArray[np.float32]:
        return values[:, INDEX[name] - POSITIONS]

    column("project_activity")[:] = 1.0
    column("code_activity")[:] = 1.0
    column("source_confidence")[:] = CONFIDENCE
    column("task")[[i for i, kind in enumerate(events.type) if kind == ISSUE]] = 1.0
    column("completion")[events.closing] = 1.0
    column("text_length")[:] = np.minimum(_numbers(events.chars) / TEXT_CHARS_SCALE, 1.0)
    return values
