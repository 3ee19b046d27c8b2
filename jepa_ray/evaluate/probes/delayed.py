"""Late or not, and how late: issues with due dates, known by what stood there when they got one.

Two tables ask the same: the published one (delayed_csv.py) and our own Jira issues
(delayed_jira.py). The windows are those that the Jira adapter makes of such an issue: the day of
its creation, or the slot where the time is known; the priority; the length of its texts where that
is known; a deadline where it falls on the day itself. So an embedding sees next to nothing of the
risk factors that the raw arms have. That is the truth of the product at that time, not a fault of
the comparison.
"""

import datetime as dt
import json

import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig, ProbeConfig
from jepa_ray.evaluate.probes.delayed_jira import FOLLOWED_DAYS
from jepa_ray.evaluate.probes.delayed_table import Issue, Table
from jepa_ray.evaluate.probes.problem import Float32, Index, Metric, Problem, Skip, Task, seeded
from jepa_ray.readers import RawItem
from jepa_ray.windows import record_windows

_SEES = (
    "Raw arms: the published risk factors as they stood at creation. Embedding, PCA and projection "
    "arms: the untimed window that the Jira adapter makes of date, priority and due date."
)
_SEES_OF_JIRA = (
    "All as it stood when the issue first had a due date. Raw arms: days left, age, hour, weekday, "
    "length of the texts, count of changes, type and priority. Embedding, PCA and projection arms: "
    "the window that the Jira adapter makes of creation, priority, due date and length of texts."
)
_LATE = "Whether an issue is resolved after its due date."
_DAYS = "log(1 + days after its due date that an issue is resolved), 0 for in time."
_LATE_OF_JIRA = "Whether an issue is still open when its due date is over."
_DAYS_OF_JIRA = (
    f"log(1 + days after its due date that an issue is first resolved, {FOLLOWED_DAYS} at most and "
    "for those still open then), 0 for in time."
)


def _tasks(head: str, sees: str, late: str, days: str, *splits: str) -> tuple[Task, ...]:
    asked: tuple[tuple[str, str, Metric], ...] = (
        ("late", late, "roc_auc"),
        ("days_late", days, "r2"),
    )
    return tuple(
        Task(f"{head}{name}_by_{split}", label, sees, metric)
        for name, label, metric in asked
        for split in splits
    )


PUBLISHED = _tasks("", _SEES, _LATE, _DAYS, "group", "time")
OF_JIRA = _tasks("jira_", _SEES_OF_JIRA, _LATE_OF_JIRA, _DAYS_OF_JIRA, "project", "time")
TASKS = {task.name: task for task in (*PUBLISHED, *OF_JIRA)}
_TEST_SHARE = 0.3
_COMMON_WORD = 20


def delayed(task: Task, table: Table, config: ProbeConfig) -> Problem:
    """A task on its table."""
    if not table.issues:
        raise Skip(f"no issue can be asked about.{_left_out(table)}".rstrip("."))
    by_time = task.name.endswith("by_time")
    train, test, split = (_by_time if by_time else _by_part)(table, config)
    draw = seeded(config.seed, 4)
    train = np.sort(draw.permutation(train)[: config.train])
    test = np.sort(draw.permutation(test)[: config.test])
    rows = np.concatenate([train, test])
    issues = [table.issues[row] for row in rows]
    days = np.log1p([issue.delay for issue in issues])
    projects = {name: i for i, name in enumerate(sorted({i.project for i in table.issues}))}
    groups = {name: i for i, name in enumerate(sorted({i.group for i in table.issues}))}
    told = by_time or table.parts != "group"  # of a group that was left out nothing is known
    late = (days > 0).astype(np.int64)
    return Problem(
        task=task,
        x=windows_of(issues),
        hidden=None,
        raw=_raw(issues, len(train)),
        y=late if task.metric == "roc_auc" else days,
        strata=np.array([groups[issue.group] if told else 0 for issue in issues]),
        cluster=np.array([projects[issue.project] for issue in issues]),
        clusters=len(projects),
        train=np.arange(len(train)),
        test=len(train) + np.arange(len(test)),
        split=split + _left_out(table),
    )


def windows_of(issues: list[Issue]) -> Float32:
    """Dense windows of issues at their creation, by the Jira adapter: float32 (n, 96, 16)."""
    lines = [json.dumps(_normalised(i, issue)).encode() for i, issue in enumerate(issues)]
    adapter = adapters()["public_jira"](PrepareConfig())
    batch = adapter.parse("delayed_issues", [RawItem(1, "", b"\n".join(lines))])
    if batch.rejected or len(batch.columns) != len(issues):
        raise Skip(f"the Jira adapter refuses {len(batch.rejected)} of {len(issues)} issues")
    return record_windows(batch.columns).densify()


def _normalised(number: int, issue: Issue) -> dict[str, str]:
    return {
        "id": f"delayed:{number}",
        "key": issue.key,
        "created": issue.created,
        "dueDate": issue.due.isoformat(),
        "priority": issue.words[1],
        "summary": "x" * issue.chars,
    }


def _by_part(table: Table, config: ProbeConfig) -> tuple[Index, Index, str]:
    """Whole groups of projects, or projects, left out: half of them, by the seed."""
    of_groups = table.parts == "group"
    parts = [issue.group if of_groups else issue.project for issue in table.issues]
    names = sorted(set(parts))
    what = "group of projects" if of_groups else "project"
    if len(names) < 2:
        raise Skip(f"all issues are of one {what}: none can be left out")
    left_out = set(seeded(config.seed, 5).permutation(names)[: len(names) // 2].tolist())
    of_test = np.array([part in left_out for part in parts])
    who = f"all projects of {', '.join(sorted(left_out))}"
    if not of_groups:
        who = f"{len(left_out)} of {len(names)} projects"
    said = f"Tested on {who}, which were left out of the fit; intervals by projects."
    return np.flatnonzero(~of_test), np.flatnonzero(of_test), said


def _by_time(table: Table, _config: ProbeConfig) -> tuple[Index, Index, str]:
    """Later issues left out; of the earlier ones only those whose outcome was known by then."""
    asked = np.array([issue.asked.toordinal() for issue in table.issues])
    known = np.array([issue.known for issue in table.issues])
    cut = int(np.quantile(asked, 1 - _TEST_SHARE))
    since = "opened" if table.parts == "group" else "given a due date"
    said = (
        f"Fitted on issues of which the label was known before {dt.date.fromordinal(cut)}, "
        f"tested on issues {since} from then on, of the same projects and new ones; intervals by "
        "projects."
    )
    return np.flatnonzero(known < cut), np.flatnonzero(asked >= cut), said


def _raw(issues: list[Issue], fitted: int) -> Float32:
    """The numbers, their logarithms, and a column for each common type and priority.

    Args:
        issues: Of both sides.
        fitted: How many of them, from the first on, say what is common.
    """
    numbers = np.array([issue.numbers for issue in issues], np.float64)
    logs = np.sign(numbers) * np.log1p(np.abs(numbers))
    columns: list[NDArray[np.float64]] = [numbers, logs]
    for place in range(2):
        words = np.array([issue.words[place] for issue in issues])
        known, counts = np.unique(words[:fitted], return_counts=True)
        columns += [(words == word)[:, None] for word in known[counts >= _COMMON_WORD]]
    found: Float32 = np.concatenate(columns, axis=1).astype(np.float32)
    return found


def _left_out(table: Table) -> str:
    if not table.left_out:
        return ""
    said = ", ".join(f"{reason}: {count}" for reason, count in sorted(table.left_out.items()))
    return f" Rows left out: {said}."
