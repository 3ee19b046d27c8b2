"""`jepa-ray confirm`."""

from typing import Annotated, Any

import typer

from jepa_ray.cli.console import Ticker, check_run_id, console, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir, RunId

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
    from jepa_ray.config import ConfirmConfig, load_config
    from jepa_ray.confirm import confirm
    from jepa_ray.storage import absolute, join

    start_logging()
    check_run_id(run_id)
    values = {"seeds": seeds, "train.preset": preset}
    settings = load_config(ConfirmConfig, file=config, overrides=set_ or (), values=values)
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
        collapse = "collapsing" if combined["collapsing"] else "spread out"
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
    """Spread over the passes, forgetting, what was not trained, how long it took."""
    said = [
        f"{name}: validation loss {_spread(of['val_loss'], _SHOWN)}, skill "
        f"{_spread(of['skill'], 3)}, RankMe {_spread(of['rankme'], 1)}"
        for name, of in found["spread"].items()
    ]
    for name, of in (found["forgetting"] or {}).items():
        rise = of["forgetting"]
        said.append(
            f"{name}: loss after its own leg {_number(of['learned']['mean'], _SHOWN)}, at the end "
            f"{_number(of['final']['mean'], _SHOWN)}; forgotten {_spread(rise, _SHOWN)}"
        )
    left = {n: d for n, d in found["datasets"].items() if d["status"] != "trained"}
    said += [f"not trained: {name} ({d['status']}: {d['reason']})" for name, d in left.items()]
    trainings = sum(len(each["checkpoints"]) for each in found["passes"])
    said.append(f"{trainings} trainings of {found['steps']} steps in {found['seconds']:.0f} s.")
    return said


def _spread(of: dict[str, Any] | None, places: int) -> str:
    if of is None:
        return "-"
    between = f"{_number(of['low'], places)} to {_number(of['high'], places)}"
    return (
        f"{_number(of['mean'], places)} ({between})" if of["n"] > 1 else f"{of['mean']:.{places}f}"
    )


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
