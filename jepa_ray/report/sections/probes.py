"""Tasks with real labels, solved with our embeddings and without."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Figure, Fold, Table, Text
from jepa_ray.report.charts import Dot, dots
from jepa_ray.report.measured import of_value
from jepa_ray.report.results import Results
from jepa_ray.report.sections import commands
from jepa_ray.report.text import NONE, Estimate, clean, count, estimate, name, number

OURS = "ours"
_MAX_TASKS = 40
_ARMS = {
    "prior": "prior (no input)",
    "raw_linear": "raw window, linear",
    "raw_trees": "raw window, trees",
    "pca64": "PCA-64",
    "random64": "random projection-64",
    "untrained": "untrained encoder",
    "ours": "our embeddings",
    "ours_raw_trees": "ours + raw, trees",
    "wrong_window": "ours of a wrong window",
}
RISKS = frozenset({"reidentification"})
"""Tasks at which a high score is no merit: they are told, not won."""
_FLOOR = {"wrong_window", "ours_raw_trees", OURS}
_METRICS = {
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "macro_f1": "macro F1",
    "brier": "Brier score",
    "top1": "top-1 accuracy",
}


def arm(key: str) -> str:
    """What an arm is called."""
    return _ARMS.get(key, name(key))


def measure(task: forms.Task) -> str:
    """What a score is, briefly: an arrow says which way is better."""
    arrow = "\N{UPWARDS ARROW}" if task.higher_is_better else "\N{DOWNWARDS ARROW}"
    return f"{_called(task)}\N{NO-BREAK SPACE}{arrow}"


def metric(task: forms.Task) -> str:
    """What a score is, and which way is better."""
    better = "higher" if task.higher_is_better else "lower"
    return f"{_called(task)}, {better} is better"


def _called(task: forms.Task) -> str:
    """A metric in words: one that is not known here as it is written, less its underscores."""
    return _METRICS.get(task.metric) or name(task.metric.replace("_", " "))


def score(task: forms.Task, key: str) -> Estimate:
    """The score of an arm."""
    found = task.arms.get(key)
    return of_value(found.score, found.interval) if found else Estimate(None)


def rival(task: forms.Task) -> str | None:
    """The best arm without our embeddings."""
    others = [key for key in task.arms if key not in _FLOOR]
    sign = 1 if task.higher_is_better else -1
    return max(others, key=lambda key: sign * task.arms[key].score, default=None)


def _all_tasks(results: Results) -> Iterator[Block]:
    if results.probes is None:
        yield commands.probe(results)
        return
    found = results.probes.read(forms.Probes)
    if found.verdict:
        yield Text(clean(found.verdict))
    tasks = list(found.tasks.items())[:_MAX_TASKS]
    if tasks:
        yield _summary(tasks)
    for i, (key, task) in enumerate(tasks):
        yield Fold(f"{name(key)}: {clean(task.label, 120)}", list(_task(f"probe-{i}", task)))
    skipped = list(found.skipped.items())[:_MAX_TASKS]
    if skipped:
        lines = [Text(f"{name(key)}: {clean(reason, 300)}") for key, reason in skipped]
        yield Fold(f"Tasks that were skipped ({len(found.skipped)})", lines)


def _summary(tasks: list[tuple[str, forms.Task]]) -> Table:
    rows, tones = [], {}
    for i, (key, task) in enumerate(tasks):
        best = rival(task)
        gap = task.differences.get(best) if best else None
        rows.append(
            (
                name(key),
                measure(task),
                estimate(score(task, OURS)),
                estimate(score(task, best)) if best else NONE,
                arm(best) if best else NONE,
                estimate(of_value(gap.difference, gap.interval)) if gap else NONE,
                number(gap.p_holm, 2) if gap else NONE,
                _finding(key, task)[0],
            )
        )
        tones[i, 7] = _finding(key, task)[1]
    return Table(
        "Our embeddings beside the best simpler way, with 95 % intervals; the difference is ours "
        "less that way (above 0: ours is better), p is corrected for the number of tasks (Holm). "
        "Arrow up: a higher score is better. A win is one over the untrained encoder, PCA-64 and "
        "the linear model.",
        ("task", "score", "ours", "best simpler", "which", "difference", "p", "finding"),
        rows,
        words=frozenset({0, 1, 4, 7}),
        tones=tones,
    )


def _finding(key: str, task: forms.Task) -> tuple[str, str]:
    """What came of a task, and its tone."""
    if key in RISKS:
        return "a risk", ""
    return ("wins", "good") if task.wins else ("no win", "bad")


def _task(key: str, task: forms.Task) -> Iterator[Block]:
    yield Text(clean(task.sentence))
    if task.input:
        yield Text(f"What is given: {clean(task.input, 400)}")
    rows = [Dot(arm(k), score(task, k), strong=k == OURS) for k in list(task.arms)[:20]]
    yield Figure(
        dots(key, rows, what=metric(task), label=f"Scores of {clean(task.label, 100)}"),
        "All arms",
        "Dot: score on the test side; bar: 95 % interval; our embeddings stand out in colour.",
    )
    gaps = [(arm(k), _gap(d), number(d.p, 2), number(d.p_holm, 2))
            for k, d in list(task.differences.items())[:20]]  # fmt: skip
    if task.added_value:
        d = task.added_value
        gaps.append(
            ("raw window, trees: what ours adds", _gap(d), number(d.p, 2), number(d.p_holm, 2))
        )
    if gaps:
        yield Table(
            "Ours less the other arm (above 0: ours is better); the last row, where it is there, "
            "is what our embeddings add to trees on the raw window.",
            ("against", "difference", "p", "p (Holm)"),
            gaps,
        )
    sides = f"{count(task.train)} windows to fit, {count(task.test)} to score"
    yield Text(f"{sides}, {count(task.groups)} groups. {clean(task.split or '', 300)}")


def _gap(found: forms.Difference) -> str:
    return estimate(of_value(found.difference, found.interval))


PARTS = (_all_tasks,)
