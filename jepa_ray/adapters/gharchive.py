"""GH Archive: one event per line of an hourly `YYYY-MM-DD-H.json.gz` file.

Source: https://www.gharchive.org (licence and citation: docs/sources.md).
One line becomes one `Activity` of no duration at its `created_at`: UTC since 2015, with an offset
of its own before. Both schemas are read: 2015+ (`actor`, `repo` objects, `id`) and 2011-2014
(`actor` a string, `repository`, no `id`: the hash of the line stands for it).

Fast path: a chunk of lines is decoded at once into typed structs and goes into columns. A chunk
that does not decode that way is taken line by line, leniently, so that each bad line is found.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters.base import Shard, SourceFile, SourceInfo, file_shards, name_hasher
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import (
    InputStream,
    RawBlock,
    RawItem,
    blocks_of,
    json_pieces,
    line_chunks,
)
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
EARLIEST, LATEST = dt.datetime(2008, 1, 1), dt.datetime(2100, 1, 1)  # noqa: DTZ001 - wall clocks
_EVENT_STARTS = re.compile(r'\{"(?=id"|created_at"|type"|repo"|repository"|actor"|public")')
_TYPES = {
    "CommitCommentEvent", "CreateEvent", "DeleteEvent", "DeploymentEvent", "DeploymentStatusEvent",
    "DiscussionEvent", "DiscussionCommentEvent", "DownloadEvent", "FollowEvent", "ForkEvent",
    "ForkApplyEvent", "GistEvent", "GollumEvent", "IssueCommentEvent", "IssuesEvent", "MemberEvent",
    "PublicEvent", "PullRequestEvent", "PullRequestReviewEvent", "PullRequestReviewCommentEvent",
    "PullRequestReviewThreadEvent", "PushEvent", "ReleaseEvent", "SponsorshipEvent", "StatusEvent",
    "TeamEvent", "TeamAddEvent", "WatchEvent",
}  # fmt: skip
_STAMP = "0000-00-00T00:00:00Z"
_STAMP_LOW = np.array([_STAMP]).view(np.uint32)
_STAMP_HIGH = np.array([_STAMP.replace("0", "9")]).view(np.uint32)
_SHARD_BYTES = 4 << 20
_MAX_ID = 20
_OLD_TIME = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)")


class _Text(msgspec.Struct, gc=False):
    """Anything with a title and a body: issue, pull request, comment, release."""

    title: str | None = None
    name: str | None = None
    body: str | None = None


class _Message(msgspec.Struct, gc=False):
    message: str | None = None


class _Page(msgspec.Struct, gc=False):
    title: str | None = None
    summary: str | None = None


class _Payload(msgspec.Struct, gc=False):
    action: str | None = None
    description: str | None = None
    issue: _Text | None = None
    pull_request: _Text | None = None
    comment: _Text | None = None
    release: _Text | None = None
    commits: list[_Message] | None = None
    pages: list[_Page] | None = None
    shas: list[Any] | None = None


class _Actor(msgspec.Struct, gc=False):
    login: str


class _Repo(msgspec.Struct, gc=False):
    name: str


class _Event(msgspec.Struct, gc=False):
    """The fields we use; the decoder skips the rest without building objects."""

    id: str
    type: str
    actor: _Actor
    repo: _Repo
    payload: _Payload
    created_at: str


_decode_lines = msgspec.json.Decoder(_Event).decode_lines


class GHArchive:
    """Adapter of the dataset `gharchive`."""

    info: ClassVar = SourceInfo(
        dataset="gharchive",
        group="code",
        path="gharchive/*.json.gz",
        licence="CC-BY-4.0",
        how_to_get="https://data.gharchive.org/YYYY-MM-DD-H.json.gz, one file an hour, any hours",
        aliases=("gharchive_2026_06_09",),
    )
    version: ClassVar = 1
    kind: ClassVar = "code_event"

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """One shard an hour; small neighbours share one."""
        patterns = ("gharchive/*.json.gz", "gharchive/*.json")
        return file_shards(root, patterns, shard_bytes=_SHARD_BYTES)

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines."""
        with file.path.open("rb") as raw:
            stream = InputStream(raw, gzipped=file.path.suffix == ".gz")
            lines = line_chunks(stream, max_line_bytes=self._config.max_record_bytes)
            yield from blocks_of(lines, self._config.raw_block_bytes)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Events of some chunks."""
        return ActivityBatch.join(self.kind, [self._chunk(label, item) for item in items])

    def _chunk(self, label: str, item: RawItem) -> ActivityBatch:
        try:
            events = _decode_lines(item.data)
            start_us = _utc_us([event.created_at for event in events])
            plain = all(event.actor.login for event in events)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
            plain = False
        if not plain:
            return ActivityBatch.of(self.kind, self._line_by_line(label, item))
        columns = Columns.instants(
            [self._source_id(event.id) for event in events],
            start_us,
            _values(events),
            offset_minutes=0,
        )
        name = self._hash
        columns.actor = np.array([name(event.actor.login) for event in events], np.uint64)
        columns.project = np.array(
            [name(event.repo.name) if event.repo.name else 0 for event in events], np.uint64
        )
        columns.category = [_category(event.type) for event in events]
        return ActivityBatch(self.kind, columns, records=len(events))

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
        actor = _actor(event.get("actor"))
        if not isinstance(kind, str) or not isinstance(stamp, str) or actor is None:
            return Rejected(where, "missing_field", "an event needs type, actor and created_at")
        start = _parse_time(stamp)
        if start is None:
            return Rejected(where, "bad_time", "created_at is not a time stamp")
        if not EARLIEST <= start.replace(tzinfo=None) < LATEST:
            return Rejected(where, "implausible_date", f"created_at lies in the year {start.year}")
        found = event.get("id")
        payload = event.get("payload")
        texts = _texts(payload if isinstance(payload, dict) else {})
        repo = _repository(event.get("repo"), event.get("repository"))
        action = payload.get("action") if isinstance(payload, dict) else None
        return Activity(
            source_id=self._source_id(str(found))
            if isinstance(found, str | int) and not isinstance(found, bool)
            else _line_id(raw),
            start=start,
            features={
                "project_activity": 1.0,
                "code_activity": 1.0,
                "task": float(kind == "IssuesEvent"),
                "completion": float(_closes(kind, action)),
                "text_length": sum(map(len, texts)) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(actor),
            project=self._hash(repo) if repo else 0,
            category=_category(kind),
        )

    def _source_id(self, found: str) -> str:
        """The id, if it is a number as all ids of GitHub are; anything else could carry text."""
        plain = found.isascii() and found.isdigit()
        return found if plain and len(found) <= _MAX_ID else f"id-{self._hash.hex(found)}"


ADAPTER = GHArchive


def _values(events: Sequence[_Event]) -> NDArray[np.float32]:
    """Stored features of decoded events: float32 (n, 14)."""
    values = np.zeros((len(events), len(STORED)), np.float32)

    def column(name: str) -> NDArray[np.float32]:
        return values[:, INDEX[name] - POSITIONS]

    column("project_activity")[:] = 1.0
    column("code_activity")[:] = 1.0
    column("source_confidence")[:] = CONFIDENCE
    column("task")[:] = [event.type == "IssuesEvent" for event in events]
    column("completion")[:] = [_closes(event.type, event.payload.action) for event in events]
    chars = np.array([_chars(event.payload) for event in events], np.float64)
    column("text_length")[:] = np.minimum(chars / TEXT_CHARS_SCALE, 1.0)
    return values


def _chars(payload: _Payload) -> int:
    """Characters of title and body that an event brings."""
    total = len(payload.description) if payload.description else 0
    if payload.commits:
        total += sum([len(commit.message) for commit in payload.commits if commit.message])
    for text in (payload.comment or payload.issue or payload.pull_request, payload.release):
        if text is not None:
            total += len(text.title or text.name or "") + len(text.body or "")
    if payload.pages:
        total += sum([len(page.title or "") + len(page.summary or "") for page in payload.pages])
    return total + sum(map(len, _old_messages(payload.shas))) if payload.shas else total


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """The same texts as `_chars`, from an untyped payload of any schema."""
    fields: list[tuple[Any, tuple[str, ...]]] = [(payload, ("description",))]
    found = (payload.get(key) for key in ("comment", "issue", "pull_request"))
    for text in (next((f for f in found if isinstance(f, dict)), None), payload.get("release")):
        if isinstance(text, dict):
            fields += [(text, ("title" if text.get("title") else "name", "body"))]
    fields += [(commit, ("message",)) for commit in _list(payload.get("commits"))]
    fields += [(page, ("title", "summary")) for page in _list(payload.get("pages"))]
    for holder, names in fields:
        if isinstance(holder, dict):
            yield from (holder[name] for name in names if isinstance(holder.get(name), str))
    yield from _old_messages(_list(payload.get("shas")))


def _old_messages(shas: list[Any]) -> Iterator[str]:
    """Commit messages of 2011-2014; a commit is [sha, address, message, name, ...]."""
    for sha in shas:
        if isinstance(sha, list) and len(sha) > 2 and isinstance(sha[2], str):
            yield sha[2]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _closes(kind: str, action: Any) -> bool:
    return action == "closed" and kind in ("IssuesEvent", "PullRequestEvent")


def _category(kind: str) -> str:
    """The event type, if GitHub has it: a fixed vocabulary, no free text."""
    return kind if kind in _TYPES else "OtherEvent"


def _actor(value: Any) -> str | None:
    """A login in either schema."""
    login = value.get("login") if isinstance(value, dict) else value
    return login if isinstance(login, str) and login else None


def _repository(value: Any, old: Any) -> str | None:
    """OWNER/NAME, as `repo` has it since 2015, or of the parts of `repository` before."""
    found = value or old
    name = found.get("name") if isinstance(found, dict) else found
    if not isinstance(name, str) or not name:
        return None
    owner = old.get("owner") if isinstance(old, dict) and not value else None
    return f"{owner}/{name}" if isinstance(owner, str) else name


def _utc_us(stamps: list[str]) -> NDArray[np.int64]:
    """Microseconds of `YYYY-MM-DDTHH:MM:SSZ` stamps; ValueError unless all have that form."""
    text = np.array(stamps, dtype="U")
    if text.dtype != np.dtype("U20"):
        raise ValueError("another form of time stamp")
    codes = text.view(np.uint32).reshape(len(stamps), len(_STAMP))
    if ((codes < _STAMP_LOW) | (codes > _STAMP_HIGH)).any():
        raise ValueError("another form of time stamp")
    times = text.astype("U19").astype("datetime64[s]")
    if not ((times >= np.datetime64(EARLIEST, "s")) & (times < np.datetime64(LATEST, "s"))).all():
        raise ValueError("an implausible date")
    return times.astype("datetime64[us]").astype(np.int64)


def _parse_time(stamp: str) -> dt.datetime | None:
    """A stamp of any year of the archive, aware."""
    old = _OLD_TIME.fullmatch(stamp)
    if old:
        year, month, day, clock, hours, minutes = old.groups()
        stamp = f"{year}-{month}-{day}T{clock}{hours}:{minutes}"
    try:
        when = dt.datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _line_id(raw: str) -> str:
    return "line-" + hashlib.blake2b(raw.strip().encode(), digest_size=8).hexdigest()
