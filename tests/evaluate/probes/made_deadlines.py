"""Lines of deadlines as `normalize-jira --deadlines` writes them."""

import datetime as dt
import gzip
import json

LINE = {
    "id": "A:1", "key": "DS-1", "created": "2014-05-02T06:48:12", "dueDate": "2014-05-09",
    "dueSet": "2014-05-03T10:00:00", "resolved": "2014-05-12T10:00:00", "type": "Bug",
    "priority": "Blocker", "chars": 500, "changes": 2, "updated": "2014-05-12T10:00:00",
}  # fmt: skip


def write(folder, *rows, name="a"):
    """A file of lines; each as LINE, but for what is given."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, bytes) else json.dumps(LINE | row).encode() for row in rows]
    path = folder / f"{name}.deadlines.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return path


def row(number, *, projects=60, days=3):
    """An issue every `days` days, every third of them late, by a number that is not told."""
    at = dt.datetime(2010, 1, 1, 8) + dt.timedelta(days=days * number, hours=number % 9)  # noqa: DTZ001 - as written: no offset
    due = at.date() + dt.timedelta(days=7)
    over = due + dt.timedelta(days=(number % 3 == 0) * (1 + number % 40))
    return {
        "id": f"A:{number}",
        "key": f"P{number % projects}-{number}",
        "created": at.isoformat(),
        "dueSet": at.isoformat(),
        "dueDate": due.isoformat(),
        "resolved": f"{over.isoformat()}T12:00:00",
        "updated": f"{over.isoformat()}T12:00:00",
        "chars": number % 700,
    }


def write_many(folder, count=600, **more):
    """A table that can carry all tasks."""
    return write(folder / "jira_deadlines", *(row(n, **more) for n in range(count)))
