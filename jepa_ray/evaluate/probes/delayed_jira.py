"""Our own Jira issues with due dates: `*.deadlines.jsonl.gz` of `normalize-jira --deadlines`.

An issue is asked about when it first had a due date, and followed for some days after it: whether
it was resolved by then is known of open issues too. Who is asked about does not depend on what came
of them. Left out are those that were resolved when they got a due date, those whose due date was
over when it was set, and those that cannot be followed as long, since the data ends before.
"""

import datetime as dt
import gzip
import io
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import msgspec

from jepa_ray.adapters.jira_deadline import DEADLINES
from jepa_ray.errors import SourceError
from jepa_ray.evaluate.probes.delayed_table import Issue, Table, names_in
from jepa_ray.storage import join, read_bytes

SUFFIX = DEADLINES
FOLDER = "jira_deadlines"
COLUMNS = ("remaining", "age", "hour", "weekday", "chars", "changes")
"""Days to the due date and since the creation, and of the moment at which the due date was set."""
FOLLOWED_DAYS = 90
"""After the due date, where it is asked how late an issue is."""
_YEARS = range(1990, 2100)

_Stamp = Annotated[dt.datetime, msgspec.Meta(tz=False)]


class _Line(msgspec.Struct, rename="camel"):
    """As `deadline_line` writes it."""

    id: str
    key: str
    created: _Stamp
    due_date: dt.date
    due_set: _Stamp
    resolved: _Stamp | None
    updated: _Stamp
    type: str | None
    priority: str | None
    chars: int
    changes: int

    def __post_init__(self) -> None:
        if not all(t.year in _YEARS for t in (self.created, self.due_date, self.due_set)):
            raise ValueError("of another century")


_decode = msgspec.json.Decoder(_Line).decode


def read_deadlines(folder: str) -> Table:
    """Read every `*.deadlines.jsonl.gz` of a folder; a path or URL.

    Of an issue that is there twice the line counts that knows more.

    Raises:
        SourceError: A file is damaged.
    """
    rows: dict[str, _Line] = {}
    left_out: Counter[str] = Counter()
    for name in names_in(folder, SUFFIX):
        for line in _lines(join(folder, name)):
            try:
                row = _decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                left_out["bad_line"] += 1
                continue
            left_out["repeated_id"] += row.id in rows
            before = rows.get(row.id)
            if before is None or row.updated > before.updated:
                rows[row.id] = row
    ends: dict[str, dt.date] = {}
    for row in rows.values():
        jira = row.id.partition(":")[0]
        ends[jira] = max(ends.get(jira, dt.date.min), row.updated.date())
    issues = []
    for row in rows.values():
        found = _issue(row, ends)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            issues.append(found)
    return Table(issues, COLUMNS, +left_out, "project")


def followed(table: Table, days: int) -> Table:
    """The issues whose due date lies so many days before the end of what is known of their Jira.

    What comes later than that is taken to come then, so delays are `days` at most.
    """
    issues = [
        replace(issue, delay=min(issue.delay, days), known=issue.due.toordinal() + days)
        for issue in table.issues
        if issue.due.toordinal() + days <= issue.known
    ]
    left_out = table.left_out + Counter(not_followed=len(table.issues) - len(issues))
    return replace(table, issues=issues, left_out=left_out)


def _lines(url: str) -> Iterator[bytes]:
    try:
        data = read_bytes(url) or b"nothing"  # of no bytes gzip makes no lines, without a word
        with gzip.open(io.BytesIO(data)) as lines:
            yield from lines
    except (EOFError, zlib.error, gzip.BadGzipFile, IsADirectoryError):
        raise SourceError(
            f"{url} is damaged or cut off; write it again: jepa-ray normalize-jira --deadlines"
        ) from None


def _issue(row: _Line, ends: dict[str, dt.date]) -> Issue | str:
    """An issue, known until the last day of its Jira; or why it cannot be asked about."""
    jira, _, number = row.id.partition(":")
    name = row.key.rpartition("-")[0]
    if not (jira and number and name):
        return "bad_key"
    if row.resolved is not None and row.resolved <= row.due_set:
        return "due_date_after_resolution"
    asked = row.due_set.date()
    remaining = (row.due_date - asked).days
    if remaining < 0:
        return "over_when_set"
    age = (row.due_set - row.created).total_seconds() / 86_400
    told = (row.due_set.hour, row.due_set.weekday(), row.chars, row.changes)
    late = (row.resolved.date() - row.due_date).days if row.resolved else math.inf
    return Issue(
        group=jira,
        project=f"{jira}:{name}",
        key=row.key,
        created=row.created.isoformat(),
        asked=asked,
        remaining=remaining,
        delay=max(late, 0),
        known=ends[jira].toordinal(),
        chars=row.chars,
        words=((row.type or "").strip().lower(), (row.priority or "").strip().lower()),
        numbers=(float(remaining), age, *map(float, told)),
    )
