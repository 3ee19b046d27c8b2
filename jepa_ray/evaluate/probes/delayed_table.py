"""Issues with due dates and what came of them: what every table of delays is read into."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jepa_ray.storage import join, list_names


@dataclass(frozen=True)
class Issue:
    """One row, as it stood on the day on which it is asked about.

    Attributes:
        group: Of projects: a file of the published tables, or a Jira.
        project: Unique in the table.
        key: Of the issue, unique in its group.
        created: ISO 8601, with a time where that is known.
        asked: The day: of its creation, or on which it got its due date.
        remaining: Days from then to the due date.
        delay: Days after the due date that it was resolved; 0 for in time, infinite for never.
        known: The day, as an ordinal, from which on its label is known.
        chars: Characters of its texts.
        words: Type and priority.
        numbers: What the raw arms have, in the order of `Table.columns`.
    """

    group: str
    project: str
    key: str
    created: str
    asked: dt.date
    remaining: int
    delay: float
    known: float
    chars: int
    words: tuple[str, str]
    numbers: tuple[float, ...]

    @property
    def due(self) -> dt.date:
        """The due date."""
        return self.asked + dt.timedelta(days=self.remaining)


@dataclass(frozen=True)
class Table:
    """All rows that could be read.

    Attributes:
        issues: In the order of the files' names.
        columns: Names of `Issue.numbers`.
        left_out: Rows that are not among the issues, by reason.
        parts: What is left out of the fit where the split is not by time.
    """

    issues: list[Issue]
    columns: tuple[str, ...]
    left_out: Counter[str]
    parts: Literal["group", "project"]


def folder_of(given: str | None, inner: str, suffix: str) -> str | None:
    """Where files that end in `suffix` are: `inner` of a folder, or the folder; None for nowhere.

    Args:
        given: The folder; None: `downstream` of the real samples.
        inner: Name.
        suffix: Of the files.
    """
    root = os.environ.get("JEPA_RAY_REAL_DATA")
    base = given or (join(root, "downstream") if root else None)
    if base is None:
        return None
    places = (join(base, inner), base)
    return next((place for place in places if names_in(place, suffix)), None)


def names_in(folder: str, suffix: str) -> list[str]:
    """Sorted names of the files of a folder that end so; [] where there is no folder."""
    try:
        names: Iterable[str] = list_names(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if name.endswith(suffix))
