"""`jepa-ray confirm`."""

import shlex
from collections.abc import Callable
from typing import Annotated, Any

import typer

from jepa_ray.cli.console import Ticker, check_run_id, console, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir, RunId

_MOMENTS = ("learned", "final")
_MIXED_DATA = (
    "sequential: `loss` is of the datasets that came last, `val loss` of the windows of all. "
    "Below, a loss is against the target encoder of its time, which moves: losses of different "
    "legs do not compare absolutely."
)
_SHOWN = 6
"""Figures of a loss: those of trained models differ in the fourth decimal."""


def run(
    processed_dir: ProcessedDir,
    storage_path: Annotated[str, typer.Option(help="Folder or URL under which runs are kept.")],
    run_id: RunId,
    seeds: Annotated[
        str | None, typer.Option(help="One a pass: a..b or a,b,c; default 2026061101..2026061106.")
    ] = None,
    dataset: Annotated[
        str, typer.Option(help="combined, or names separated by commas.")
    ] = "combined",
    preset: Annotated[
        str | None, typer.Option(help="Where settings start from: reference or robust.")
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Train every dataset and all together, once a seed; leaves confirmation.json.

    The same command again goes on where a stopped run was.
    """
    from jepa_ray.cli.checks import check_passes
    from jepa_ray.config import ConfirmConfig, load_config
    from jepa_ray.storage import absolute, join

    start_logging()
    check_run_id(run_id)
    values = {"seeds": seeds, "train.preset": preset}
    settings = load_config(ConfirmConfig, file=config, overrides=set_ or (), values=values)
    check_passes(processed_dir, dataset, settings)
    from jepa_ray.confirm import confirm

    with Ticker() as tick:
        found = confirm(
            processed_dir=processed_dir,
            storage_path=storage_path,
            run_id=run_id,
            config=settings,
            dataset=dataset,
            progress=tick,
        )
    if json:
        print_json(found)
    else:
        show(found, join(absolute(storage_path), run_id))


def show(found: dict[str, Any], folder: str) -> None:
    """A row a pass, the spread over them, and what to do next."""
    from rich.table import Table

    out = console()
    columns = (
        "pass",
        "seed",
        "first, last dataset",
        "loss",
        "val loss",
        "skill",
        "RankMe",
        "collapse",
    )
    table = Table(*columns, title=f"confirm {found['run_id']}: the models of all datasets")
    for each in found["passes"]:
        combined = each["checkpoints"]["combined"]
        order = each["order"]
        between = order[0] if len(order) == 1 else f"{order[0]}, {order[-1]}"
        losses = (f"{each['train_loss']:.6f}", f"{each['val_loss']:.6f}")
        collapse = "collapsing" if combined["collapsing"] else "no gate failed"
        numbers = (_number(combined["skill"], 3), _number(combined["rankme"], 1))
        table.add_row(each["pass"], str(each["seed"]), between, *losses, *numbers, collapse)
    out.print(table)
    for line in lines(found):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in next_commands(found, folder):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def next_commands(found: dict[str, Any], folder: str) -> list[str]:
    """Where the run lies, and the commands that follow, in their order."""
    run, windows = shlex.quote(folder), shlex.quote(found["processed_dir"])
    return [
        folder,
        "Next:",
        f"  jepa-ray verify {run}",
        f"  jepa-ray evaluate {run} --processed-dir {windows}",
        f"  jepa-ray probe {run} --processed-dir {windows}",
        f"  jepa-ray report {run}",
    ]


def lines(found: dict[str, Any]) -> list[str]:
    """Spread over the passes, collapses, what became of each dataset, what was not trained."""
    said = [
        f"{name}: validation loss {_spread(of, 'val_loss', _SHOWN)}, skill "
        f"{_spread(of, 'skill', 3)}, RankMe {_spread(of, 'rankme', 1)}"
        for name, of in found["spread"].items()
    ]
    said += _legend(len(found["passes"]))
    said += _collapses(found["passes"])
    if found["forgetting"]:
        said += [_MIXED_DATA, *_after_legs(found["forgetting"])]
    from jepa_ray.confirm.datasets import untrained_line

    left = untrained_line(found["datasets"])
    return [*said, *([left] if left else []), _time(found)]


def _legend(passes: int) -> list[str]:
    """What stands in brackets."""
    from jepa_ray.report.spreads import FEWEST

    if passes == 1:
        return []
    if passes < FEWEST:
        return [f"In brackets: the values of {passes} passes; {FEWEST} or more have an interval."]
    said = f"95 % t-interval over {passes} seeds (on this corpus), cut to what is possible"
    return [f"In brackets: {said}; `a and b` are the two passes that there are."]


def _collapses(passes: list[dict[str, Any]]) -> list[str]:
    """Which trainings collapse, and which have nothing to tell apart."""
    collapsing = _in_passes(passes, lambda about: about["collapsing"])
    alike = _in_passes(passes, lambda about: not about["untrained_slot_std"])
    said = [f"collapsing: {collapsing or 'none'}"]
    if alike:
        said.append(f"nothing to tell apart, their held-out windows are all alike: {alike}")
    return said


def _in_passes(passes: list[dict[str, Any]], holds: Callable[[dict[str, Any]], bool]) -> str:
    """Trainings of which something holds, each with its passes."""
    found = []
    for name in sorted(passes[0]["checkpoints"]):
        where = [each["pass"] for each in passes if holds(each["checkpoints"][name])]
        if where:
            all_of_them = len(where) == len(passes) > 1
            found.append(f"{name} ({'all passes' if all_of_them else ', '.join(where)})")
    return ", ".join(found)


def _after_legs(forgetting: dict[str, Any]) -> list[str]:
    """Loss and skill of each dataset after its own leg and at the end."""
    said = []
    for name, of in forgetting.items():
        losses, skills = (
            [_number(of[key + kind] and of[key + kind]["mean"], places) for key in _MOMENTS]
            for kind, places in (("", _SHOWN), ("_skill", 3))
        )
        rise = of["forgetting"]
        said.append(
            f"{name}: after its own leg loss {losses[0]}, skill {skills[0]}; at the end loss "
            f"{losses[1]}, skill {skills[1]}; "
            + (_change(of) if rise else "it came last each time")
            + (f" (in the {rise['n']} passes where others came after it)" if _some(of) else "")
        )
    return said


def _some(of: dict[str, Any]) -> bool:
    """Whether others came after it in some passes only, so that the means are of other passes."""
    return of["forgetting"] is not None and of["forgetting"]["n"] < of["final"]["n"]


def _change(of: dict[str, Any]) -> str:
    """What became of a loss between its own leg and the end."""
    rise = of["forgetting"]
    if rise["mean"] > 0:
        return f"forgotten: it rose by {_spread(of, 'forgetting', _SHOWN)}"
    fall = rise | {"mean": -rise["mean"], "low": -rise["high"], "high": -rise["low"]}
    return f"improved: it fell by {_spread({'fall': fall}, 'fall', _SHOWN)}"


def _time(found: dict[str, Any]) -> str:
    trainings = [each for report in found["passes"] for each in report["checkpoints"].values()]
    return f"{len(trainings)} trainings of {found['steps']} steps, {found['seconds']:.0f} s in all"


def _spread(of: dict[str, Any], number: str, places: int) -> str:
    """Mean and interval, or the range of two passes."""
    from jepa_ray.report.spreads import interval, spread_of_two

    found = of[number]
    if found is None:
        return "-"
    mean, n = found["mean"], found["n"]
    ends = interval(number, found["low"], found["high"], n)
    if n == 2:
        ends = spread_of_two(mean, found["std"])
    shown = _number(mean, places)
    if n == 2 and ends:
        return f"{shown} ({' and '.join(_number(end, places) for end in ends)})"
    return f"{shown} ({' to '.join(_number(end, places) for end in ends)})" if ends else shown


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
