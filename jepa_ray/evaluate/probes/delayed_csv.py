"""The published tables of delayed issues: `<group>_creation.csv`, read as they are.

Source: Choetkiertikul, Dam, Tran, Ghose: Predicting the delay of issues with due dates in software
projects, Empirical Software Engineering 22(3), 2017. Columns are its risk factors, as they stood
when an issue was created. `RemainingDay` is the days from then to the due date.
"""

import csv
import datetime as dt
import io
import math
from collections import Counter

from jepa_ray.evaluate.probes.delayed_table import Issue, Table, names_in
from jepa_ray.storage import join, read_bytes

SUFFIX = "_creation.csv"
FOLDER = "delayed_issues"
_LABEL, _OPENED = "delaydays", "openeddate"
_WORDS = ("type", "priority")
_KEYS = ("issuekey", _LABEL, _OPENED, *_WORDS, "RemainingDay")


def read_delayed(folder: str) -> Table:
    """Read every `*_creation.csv` of a folder; a path or URL.

    A row that lacks a column, or holds a number or date that is none, is counted and left out. A
    file without the columns we need counts as one bad row, `columns`.
    """
    issues: list[Issue] = []
    bad: Counter[str] = Counter()
    columns: tuple[str, ...] = ()
    for name in names_in(folder, SUFFIX):
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
    return Table(issues, columns, bad, "group")


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
    project = row["issuekey"].rpartition("-")[0]
    if not project:
        return "bad_key"
    return Issue(
        group=group,
        project=f"{group}:{project}",
        key=row["issuekey"],
        created=opened.isoformat(),
        asked=opened,
        remaining=remaining,
        delay=max(delay, 0.0),
        known=opened.toordinal() + remaining + max(delay, 0.0),
        chars=0,
        words=(row["type"].strip().lower(), row["priority"].strip().lower()),
        numbers=numbers,
    )
