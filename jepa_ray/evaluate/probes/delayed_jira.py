"""Our own Jira issues with due dates: `*.deadlines.jsonl.gz` of `normalize-jira --deadlines`.

An issue is asked about when it first had a due date. Left out are those that are still open, those
that were resolved before they had one, and those whose due date was over when it was set.
"""

import datetime as dt
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator

import msgspec

from jepa_ray.adapters.jira_deadline import DEADLINES
from jepa_ray.errors import SourceError
from jepa_ray.evaluate.probes.delayed_table import Issue, Table, names_in
from jepa_ray.storage import join, read_bytes

SUFFIX = DEADLINES
FOLDER = "jira_deadlines"
COLUMNS = ("remaining", "age", "hour", "weekday", "chars", "changes", "comments")
"""Days to the due date and since the creation, and of the moment at which the due date was set."""


class _Line(msgspec.Struct, rename="camel"):
    """As `deadline_line` writes it."""

    id: str
    key: str
    created: dt.datetime
    due_date: dt.date
    due_set: dt.datetime
    resolved: dt.datetime | None
    type: str | None
    priority: str | None
    chars: int
    changes: int
    comments: int


_decode = msgspec.json.Decoder(_Line).decode


def read_deadlines(folder: str) -> Table:
    """Read every `*.deadlines.jsonl.gz` of a folder; a path or URL.

    Raises:
        SourceError: A file is damaged.
    """
    issues: list[Issue] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for name in names_in(folder, SUFFIX):
        for line in _lines(join(folder, name)):
            try:
                row = _decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                left_out["bad_line"] += 1
                continue
            found = "repeated_id" if row.id in seen else _issue(row)
            seen.add(row.id)
            if isinstance(found, str):
                left_out[found] += 1
            else:
                issues.append(found)
    return Table(issues, COLUMNS, left_out, "project")


def _lines(url: str) -> Iterator[bytes]:
    try:
        with gzip.open(io.BytesIO(read_bytes(url))) as lines:
            yield from lines
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise SourceError(
            f"{url} is damaged or cut off; write it again: jepa-ray normalize-jira --deadlines"
        ) from None


def _issue(row: _Line) -> Issue | str:
    """An issue, or why it cannot be asked about."""
    jira, _, number = row.id.partition(":")
    name = row.key.rpartition("-")[0]
    if not (jira and number and name):
        return "bad_key"
    if row.resolved is None:
        return "open"
    if row.resolved <= row.due_set:
        return "due_date_after_resolution"
    asked = row.due_set.date()
    remaining = (row.due_date - asked).days
    if remaining < 0:
        return "over_when_set"
    age = (row.due_set - row.created).total_seconds() / 86_400
    told = (row.due_set.hour, row.due_set.weekday(), row.chars, row.changes, row.comments)
    return Issue(
        group=jira,
        project=f"{jira}:{name}",
        key=row.key,
        created=row.created.isoformat(),
        asked=asked,
        remaining=remaining,
        delay=max((row.resolved.date() - row.due_date).days, 0),
        chars=row.chars,
        words=((row.type or "").strip().lower(), (row.priority or "").strip().lower()),
        numbers=(float(remaining), age, *map(float, told)),
    )
