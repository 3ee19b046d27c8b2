"""Late or not, and how late: issues with due dates, known by what stood there at their creation.

The windows are those that the Jira adapter makes of such an issue: untimed, since only the day is
known; the priority; a deadline where it falls on the day itself; no text, which the tables lack.
So an embedding sees next to nothing of the risk factors that the raw arms have. That is the truth
of the product at creation time, not a fault of the comparison.
"""

import datetime as dt
import json

import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig, ProbeConfig
from jepa_ray.evaluate.probes.delayed_csv import Issue, Table
from jepa_ray.evaluate.probes.problem import Float32, Index, Problem, Skip, Task, seeded
from jepa_ray.readers import RawItem
from jepa_ray.windows import record_windows

_SEES = (
    "Raw arms: the published risk factors as they stood at creation. Embedding, PCA and projection "
    "arms: the untimed window that the Jira adapter makes of date, priority and due date."
)
_LATE = "Whether an issue is resolved after its due date."
_DAYS = "log(1 + days after its due date that an issue is resolved), 0 for in time."
LATE_BY_GROUP = Task("late_by_group", _LATE, _SEES, "roc_auc")
LATE_BY_TIME = Task("late_by_time", _LATE, _SEES, "roc_auc")
DAYS_LATE_BY_GROUP = Task("days_late_by_group", _DAYS, _SEES, "r2")
DAYS_LATE_BY_TIME = Task("days_late_by_time", _DAYS, _SEES, "r2")
TASKS = {
    task.name: task for task in (LATE_BY_GROUP, LATE_BY_TIME, DAYS_LATE_BY_GROUP, DAYS_LATE_BY_TIME)
}
_TEST_SHARE = 0.3
_COMMON_WORD = 20


def delayed(task: Task, table: Table, config: ProbeConfig) -> Problem:
    """One of the four tasks on a table."""
    if not table.issues:
        raise Skip("no row of the tables of delayed issues could be read")
    by_group = task.name.endswith("by_group")
    train, test, split = (_by_group if by_group else _by_time)(table.issues, config)
    draw = seeded(config.seed, 4)
    train = np.sort(draw.permutation(train)[: config.train])
    test = np.sort(draw.permutation(test)[: config.test])
    rows = np.concatenate([train, test])
    issues = [table.issues[row] for row in rows]
    days = np.log1p([issue.delay for issue in issues])
    projects = {name: i for i, name in enumerate(sorted({i.project for i in table.issues}))}
    groups = {name: i for i, name in enumerate(sorted({i.group for i in table.issues}))}
    late = (days > 0).astype(np.int64)
    return Problem(
        task=task,
        x=windows_of(issues),
        hidden=None,
        raw=_raw(issues, len(train)),
        y=late if task.metric == "roc_auc" else days,
        strata=np.array([0 if by_group else groups[issue.group] for issue in issues]),
        cluster=np.array([projects[issue.project] for issue in issues]),
        clusters=len(projects),
        train=np.arange(len(train)),
        test=len(train) + np.arange(len(test)),
        split=split + _bad(table),
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
    due = issue.opened + dt.timedelta(days=issue.remaining)
    return {
        "id": f"delayed:{number}",
        "key": issue.key,
        "created": issue.opened.isoformat(),
        "dueDate": due.isoformat(),
        "priority": issue.words[1],
    }


def _by_group(issues: list[Issue], config: ProbeConfig) -> tuple[Index, Index, str]:
    """Whole groups of projects left out: half of them, by the seed."""
    names = sorted({issue.group for issue in issues})
    if len(names) < 2:
        raise Skip("all issues are of one group of projects: none can be left out")
    left_out = sorted(seeded(config.seed, 5).permutation(names)[: len(names) // 2].tolist())
    of_test = np.array([issue.group in left_out for issue in issues])
    said = (
        f"Tested on all projects of {', '.join(left_out)}, which were left out of the fit; "
        "intervals by projects."
    )
    return np.flatnonzero(~of_test), np.flatnonzero(of_test), said


def _by_time(issues: list[Issue], _config: ProbeConfig) -> tuple[Index, Index, str]:
    """Later issues left out; of the earlier ones only those whose outcome was known by then."""
    opened = np.array([issue.opened.toordinal() for issue in issues])
    ends = [issue.opened.toordinal() + issue.remaining + issue.delay for issue in issues]
    cut = int(np.quantile(opened, 1 - _TEST_SHARE))
    said = (
        f"Fitted on issues whose due date and delay were over before {dt.date.fromordinal(cut)}, "
        "tested on issues opened from then on, of the same projects and new ones; intervals by "
        "projects."
    )
    return np.flatnonzero(np.array(ends) < cut), np.flatnonzero(opened >= cut), said


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


def _bad(table: Table) -> str:
    if not table.bad:
        return ""
    said = ", ".join(f"{reason}: {count}" for reason, count in sorted(table.bad.items()))
    return f" Rows left out as unreadable: {said}."
