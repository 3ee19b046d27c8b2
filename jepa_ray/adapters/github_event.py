"""The fields of a GitHub event that we use, in the schemas of 2011-2014 and of 2015 on.

Each question has two answers that agree: from a typed `Event` (the fast path of the adapter), and
from an untyped object of any schema.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
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
_STAMP = "0000-00-00T00:00:00Z"
_STAMP_LOW = np.array([_STAMP]).view(np.uint32)
_STAMP_HIGH = np.array([_STAMP.replace("0", "9")]).view(np.uint32)
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
    total = len(payload.description) if payload.description else 0
    if payload.commits:
        total += sum([len(commit.message) for commit in payload.commits if commit.message])
    for text in (payload.comment or payload.issue or payload.pull_request, payload.release):
        if text is not None:
            total += len(text.title or text.name or "") + len(text.body or "")
    if payload.pages:
        total += sum([len(page.title or "") + len(page.summary or "") for page in payload.pages])
    return total + sum(map(len, _old_messages(payload.shas))) if payload.shas else total


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
    return action == "closed" and kind in ("IssuesEvent", "PullRequestEvent")


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


def utc_us(stamps: list[str]) -> NDArray[np.int64]:
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
