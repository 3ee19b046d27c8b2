"""`jepa-ray confirm`."""

import math
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
    columns = ("pass", "seed", "first, last dataset", "loss", "val loss", "skill", "RankMe", "")
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
    out.print(
        f"{folder}\nNext: jepa-ray verify {folder}, then jepa-ray evaluate and jepa-ray report.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def lines(found: dict[str, Any]) -> list[str]:
    """Spread over the passes, collapses, what became of each dataset, what was not trained."""
    said = [
        f"{name}: validation loss {_spread(of['val_loss'], _SHOWN, low=0.0)}, skill "
        f"{_spread(of['skill'], 3, high=1.0)}, RankMe {_spread(of['rankme'], 1, low=1.0)}"
        for name, of in found["spread"].items()
    ]
    if len(found["passes"]) > 1:
        said.append(
            "In brackets: t-interval over seeds (on this corpus), level 0.95, cut to what is "
            "possible."
        )
    said += _collapses(found["passes"])
    if found["forgetting"]:
        said += [_MIXED_DATA, *_after_legs(found["forgetting"])]
    left = {n: d for n, d in found["datasets"].items() if d["status"] != "trained"}
    said += [f"not trained: {name} ({d['status']}: {d['reason']})" for name, d in left.items()]
    return [*said, _time(found)]


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
            + (f"the loss changed by {_spread(rise, _SHOWN)}" if rise else "it came last each time")
        )
    return said


def _time(found: dict[str, Any]) -> str:
    trainings = [each for report in found["passes"] for each in report["checkpoints"].values()]
    return (
        f"{len(trainings)} trainings of {found['steps']} steps, "
        f"{sum(each['seconds'] for each in trainings):.0f} s of training; the command that ended "
        f"the run took {found['seconds']:.0f} s."
    )


def _spread(
    of: dict[str, Any] | None, places: int, *, low: float = -math.inf, high: float = math.inf
) -> str:
    """Mean and interval, cut to what is possible."""
    if of is None:
        return "-"
    mean = _number(of["mean"], places)
    ends = (max(of["low"], low), min(of["high"], high))
    return f"{mean} ({' to '.join(_number(end, places) for end in ends)})" if of["n"] > 1 else mean


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
