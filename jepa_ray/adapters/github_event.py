"""The fields of a GitHub event that we use, in the schemas of 2011-2014 and of 2015 on.

Each question has two answers that agree: from a typed `Event` (the fast path of the adapter), and
from an untyped object of any schema.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

EARLIEST, LATEST = dt.datetime(2008, 1, 1), dt.datetime(2100, 1, 1)  # noqa: DTZ001 - wall clocks
_TYPES = {
    "CommitCommentEvent", "CreateEvent", "DeleteEvent", "DeploymentEvent", "DeploymentStatusEvent",
    "DiscussionEvent", "DiscussionCommentEvent", "DownloadEvent", "FollowEvent", "ForkEvent",
    "ForkApplyEvent", "GistEvent", "GollumEvent", "IssueCommentEvent", "IssuesEvent", "MemberEvent",
    "PublicEvent", "PullRequestEvent", "PullRequestReviewEvent", "PullRequestReviewCommentEvent",
    "PullRequestReviewThreadEvent", "PushEvent", "ReleaseEvent", "SponsorshipEvent", "StatusEvent",
    "TeamEvent", "TeamAddEvent", "WatchEvent",
}  # fmt: skip
ISSUE = "IssuesEvent"
CLOSABLE, CLOSED = (ISSUE, "PullRequestEvent"), "closed"
_STAMP = "0000-00-00T00:00:00Z"
_STAMP_LOW = np.frombuffer(_STAMP.encode(), np.uint8)
_STAMP_HIGH = np.frombuffer(_STAMP.replace("0", "9").encode(), np.uint8)
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


class Payload(msgspec.Struct, gc=False):
    """What an event brings; which fields are there depends on its type."""

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


class Event(msgspec.Struct, gc=False):
    """The fields we use; the decoder skips the rest without building objects."""

    id: str
    type: str
    actor: _Actor
    repo: _Repo
    payload: Payload
    created_at: str


decode_lines = msgspec.json.Decoder(Event).decode_lines


def chars(payload: Payload) -> int:
    """Characters of title and body that an event brings."""
    total = 0
    if payload.commits:
        total = sum([len(commit.message) for commit in payload.commits if commit.message])
    if payload.description:
        total += len(payload.description)
    text = payload.comment or payload.issue or payload.pull_request
    if text:
        total += _size(text)
    if payload.release:
        total += _size(payload.release)
    if payload.pages:
        total += sum([len(page.title or "") + len(page.summary or "") for page in payload.pages])
    if payload.shas:
        total += sum(map(len, _old_messages(payload.shas)))
    return total


def _size(text: _Text) -> int:
    return len(text.title or text.name or "") + len(text.body or "")


@dataclass
class Events:
    """What we use of many events, as columns.

    Attributes:
        stamps: `created_at` of some events each, one after the other.
        chars: Of title and body.
        closing: Which events close an issue or a pull request.
    """

    id: list[str] = field(default_factory=list)
    type: list[str] = field(default_factory=list)
    login: list[str] = field(default_factory=list)
    repository: list[str] = field(default_factory=list)
    stamps: list[str] = field(default_factory=list)
    chars: list[int] = field(default_factory=list)
    closing: list[int] = field(default_factory=list)

    @staticmethod
    def decode(chunks: Iterable[bytes]) -> "Events":
        """Events of chunks of lines; texts are measured while they are in the cache, not kept.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: One is not of this schema.
            ValueError: One has another form of time stamp.
        """
        found = Events()
        for chunk in chunks:
            found._add(decode_lines(chunk))
        return found

    def _add(self, events: list[Event]) -> None:
        kinds = [event.type for event in events]
        first = len(self.id)
        self.closing += [
            first + i
            for i, kind in enumerate(kinds)
            if kind in CLOSABLE and events[i].payload.action == CLOSED
        ]
        self.type += kinds
        self.id += [event.id for event in events]
        self.login += [event.actor.login for event in events]
        self.repository += [event.repo.name for event in events]
        stamps = [event.created_at for event in events]
        if not {len(_STAMP)}.issuperset(map(len, stamps)):
            raise ValueError("another form of time stamp")
        self.stamps.append("".join(stamps))
        self.chars += [chars(event.payload) for event in events]


def texts(payload: dict[str, Any]) -> Iterator[str]:
    """The same texts as `chars`, from an untyped payload of any schema."""
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


def closes(kind: str, action: Any) -> bool:
    """Whether the event closes an issue or a pull request."""
    return action == CLOSED and kind in CLOSABLE


def category(kind: str) -> str:
    """The event type, if GitHub has it: a fixed vocabulary, no free text."""
    return kind if kind in _TYPES else "OtherEvent"


def categories(kinds: list[str]) -> list[str]:
    """`category` of each."""
    return kinds if _TYPES.issuperset(kinds) else [category(kind) for kind in kinds]


def actor_name(value: Any) -> str | None:
    """A login in either schema."""
    login = value.get("login") if isinstance(value, dict) else value
    return login if isinstance(login, str) and login else None


def repository_name(value: Any, old: Any) -> str | None:
    """OWNER/NAME, as `repo` has it since 2015, or of the parts of `repository` before."""
    found = value or old
    name = found.get("name") if isinstance(found, dict) else found
    if not isinstance(name, str) or not name:
        return None
    owner = old.get("owner") if isinstance(old, dict) and not value else None
    return f"{owner}/{name}" if isinstance(owner, str) else name


def utc_us(stamps: str, count: int) -> NDArray[np.int64]:
    """Microseconds of `YYYY-MM-DDTHH:MM:SSZ` stamps, one after the other; ValueError for others.

    Each has the length of such a stamp, as `Events` sees to.
    """
    text = np.frombuffer(stamps.encode(), np.uint8)
    if len(text) != count * len(_STAMP):
        raise ValueError("another form of time stamp")
    codes = text.reshape(count, len(_STAMP))
    if ((codes < _STAMP_LOW) | (codes > _STAMP_HIGH)).any():
        raise ValueError("another form of time stamp")
    times = codes.view("S20")[:, 0].astype("S19").astype("datetime64[s]")
    if not ((times >= np.datetime64(EARLIEST, "s")) & (times < np.datetime64(LATEST, "s"))).all():
        raise ValueError("an implausible date")
    return times.astype("datetime64[us]").astype(np.int64)


def parse_time(stamp: str) -> dt.datetime | None:
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


def line_id(raw: str) -> str:
    """An id for an event of the years before events had one: the hash of its text."""
    return "line-" + hashlib.blake2b(raw.strip().encode(), digest_size=8).hexdigest()
