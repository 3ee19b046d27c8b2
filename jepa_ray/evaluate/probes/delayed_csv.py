"""The published tables of delayed issues: `<group>_creation.csv`, read as they are.

Source: Choetkiertikul, Dam, Tran, Ghose: Predicting the delay of issues with due dates in software
projects, Empirical Software Engineering 22(3), 2017. Columns are its risk factors, as they stood
when an issue was created. `RemainingDay` is the days from then to the due date.
"""

import csv
import datetime as dt
import io
import math
import os
from collections import Counter
from dataclasses import dataclass

from jepa_ray.storage import join, list_names, read_bytes

SUFFIX = "_creation.csv"
FOLDER = "delayed_issues"
_LABEL, _OPENED = "delaydays", "openeddate"
_WORDS = ("type", "priority")
_KEYS = ("issuekey", _LABEL, _OPENED, *_WORDS, "RemainingDay")


@dataclass(frozen=True)
class Issue:
    """One row.

    Attributes:
        group: Of projects: the file's name.
        key: Of the issue, unique in its group.
        opened: The day.
        remaining: Days from then to the due date.
        delay: Days after the due date that it was resolved; 0 for in time.
        words: Type and priority.
        numbers: The other columns, in the order of `Table.columns`.
    """

    group: str
    key: str
    opened: dt.date
    remaining: int
    delay: float
    words: tuple[str, str]
    numbers: tuple[float, ...]

    @property
    def project(self) -> str:
        """The project, which the key begins with."""
        return f"{self.group}:{self.key.rpartition('-')[0]}"


@dataclass(frozen=True)
class Table:
    """All rows that could be read.

    Attributes:
        issues: In the order of the files' names.
        columns: Names of `Issue.numbers`.
        bad: Rows that could not be read, by reason.
    """

    issues: list[Issue]
    columns: tuple[str, ...]
    bad: Counter[str]


def downstream_folder(given: str | None) -> str | None:
    """Where the tables are: the folder given, or that of the real samples; None for nowhere."""
    root = os.environ.get("JEPA_RAY_REAL_DATA")
    base = given or (join(root, "downstream") if root else None)
    if base is None:
        return None
    inner = join(base, FOLDER)
    return next((f for f in (inner, base) if any(n.endswith(SUFFIX) for n in _names(f))), None)


def _names(folder: str) -> list[str]:
    try:
        return list_names(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_delayed(folder: str) -> Table:
    """Read every `*_creation.csv` of a folder; a path or URL.

    A row that lacks a column, or holds a number or date that is none, is counted and left out. A
    file without the columns we need counts as one bad row, `columns`.
    """
    issues: list[Issue] = []
    bad: Counter[str] = Counter()
    columns: tuple[str, ...] = ()
    for name in sorted(n for n in _names(folder) if n.endswith(SUFFIX)):
        text = read_bytes(join(folder, name)).decode("utf-8", "replace")
        rows = csv.DictReader(io.StringIO(text))
        found = tuple(rows.fieldnames or ())
        numbers = tuple(c for c in found if c not in (*_KEYS[:3], *_WORDS))
        columns = columns or numbers
        if not set(_KEYS) <= set(found) or numbers != columns:
            bad["columns"] += 1
            continue
        seen: set[str] = set()
        for row in rows:
            issue = _issue(name.removesuffix(SUFFIX), row, columns)
            if isinstance(issue, str):
                bad[issue] += 1
            elif issue.key in seen:
                bad["repeated_key"] += 1
            else:
                seen.add(issue.key)
                issues.append(issue)
    return Table(issues, columns, bad)


def _issue(group: str, row: dict[str, str], columns: tuple[str, ...]) -> Issue | str:
    """A row, or what is wrong with it."""
    if None in row or None in row.values():
        return "columns"
    try:
        opened = dt.datetime.strptime(row[_OPENED][:10], "%Y-%m-%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return "bad_date"
    try:
        numbers = tuple(float(row[column]) for column in columns)
        delay, remaining = float(row[_LABEL]), int(float(row["RemainingDay"]))
    except (ValueError, OverflowError):
        return "bad_number"
    if not all(map(math.isfinite, (*numbers, delay))) or abs(remaining) > 36_500:
        return "bad_number"
    if not row["issuekey"].rpartition("-")[0]:
        return "bad_key"
    words = (row["type"].strip().lower(), row["priority"].strip().lower())
    return Issue(group, row["issuekey"], opened, remaining, max(delay, 0.0), words, numbers)
