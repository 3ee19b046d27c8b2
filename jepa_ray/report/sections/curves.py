"""Loss and skill over training, and how far the seeds lie apart."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Figure, Problem, Text
from jepa_ray.report.charts import Dot, Line, Panel, curves, dots
from jepa_ray.report.measured import best_first
from jepa_ray.report.results import Results, Wrong, rows_of
from jepa_ray.report.sections import commands
from jepa_ray.report.sections.tables import COMBINED, spreads, states_of, windows_of
from jepa_ray.report.text import name

MAX_PANELS = 24

Rows = list[forms.Validation]
ByPass = list[tuple[str, Rows]]


def _all_passes(results: Results) -> Iterator[Block]:
    found, faults = trainings(results)
    for fault in faults:
        yield Problem(fault)
    if not found:
        yield Text("No validations of trainings (metrics.jsonl) are in this folder.")
        return
    combined = found.get(COMBINED) or found.get("") or []
    if combined:
        yield _pair(combined, is_run=results.is_run)
    names = [key for key in found if key not in {COMBINED, ""}]
    if names:
        yield _multiples(_largest(results, names), len(names), found)


def _largest(results: Results, names: list[str]) -> list[str]:
    """The datasets that are drawn, sorted by name: where they are many, those of most windows."""
    states = states_of(results)
    sizes = {n: (windows_of(results, n, states[n]) or 0) if n in states else 0 for n in names}
    return sorted(sorted(names, key=lambda n: (-sizes[n], n))[:MAX_PANELS])


def trainings(results: Results) -> tuple[dict[str, ByPass], list[str]]:
    """Rows of validations, by training and then by pass; and what is wrong with any."""
    found: dict[str, ByPass] = {}
    faults = []
    for (run, training), source in results.metrics.items():
        try:
            rows = rows_of(source)
        except Wrong as error:
            faults.append(str(error))
            continue
        found.setdefault(training, []).append((run or results.name, rows))
    return dict(sorted(found.items())), faults[:12]


def _line(key: str, rows: Rows, what: str) -> Line:
    return Line(
        key,
        [row.step for row in rows],
        [getattr(row, what) for row in rows],
    )


def _pair(passes: ByPass, *, is_run: bool) -> Figure:
    panels = [
        Panel("validation loss", [_line(p, rows, "val_loss") for p, rows in passes], log=True),
        Panel("skill", [_line(p, _after_start(rows), "skill") for p, rows in passes]),
    ]
    which, whose, more = "", "", ""
    if is_run:
        which, whose = " combined", " of each pass"
        more = "; curves that lie on one another mean that the seed does not matter"
    return Figure(
        curves("curve-combined", panels, what="", label="Validation loss and skill over steps"),
        f"Loss and skill of the{which} training",
        f"Left: the validation loss{whose} falls from about 1 (untrained); right: skill, from "
        f"the first validation after the start, must end above 0{more}.",
    )


def _after_start(rows: Rows) -> Rows:
    """Without the untrained model, whose skill is far below all others."""
    return [row for row in rows if row.step > 0] or rows


def _multiples(shown: list[str], count: int, found: dict[str, ByPass]) -> Figure:
    panels = [
        Panel(n, [_line(p, rows, "val_loss") for p, rows in found[n]], log=True) for n in shown
    ]
    left = count - len(shown)
    more = (
        f" Drawn are the {len(shown)} datasets of most windows; {left} more are left out."
        if left
        else ""
    )
    return Figure(
        curves("curve-datasets", panels, what="loss", label="Validation loss by dataset"),
        "Validation loss, a dataset each",
        "Each panel is the checkpoint of one dataset, a curve a pass, on a logarithmic axis of its "
        f"own; a curve that falls at once and stays flat has little to learn.{more}",
    )


def _seeds(results: Results) -> Iterator[Block]:
    if not results.is_run:
        return
    found = spreads(results)
    if not found:
        yield commands.unfinished(results, "The spread over seeds")
        return
    rows = [
        Dot(name(key), found[key][0], strong=key == COMBINED)
        for key in best_first(list(found), COMBINED)[:60]
    ]
    yield Figure(
        dots("seed-loss", rows, what="validation loss", label="Loss over seeds", log=True),
        "Validation loss over seeds",
        "Dot: mean over the passes; bar: 95 % interval of that mean; a short bar says that another "
        "seed would give the same.",
    )


PARTS = (_all_passes, _seeds)
