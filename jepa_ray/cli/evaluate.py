"""`jepa-ray evaluate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from jepa_ray.cli.console import console, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir

if TYPE_CHECKING:
    from jepa_ray.evaluate import Evaluation


def run(
    checkpoint: Annotated[str, typer.Argument(help="schedule_jepa.pt or its folder; path or URL.")],
    processed_dir: ProcessedDir,
    dataset: Annotated[
        str | None, typer.Option(help="combined or names; default: those it was trained on.")
    ] = None,
    batches: Annotated[int | None, typer.Option(help="Held-out batches; default 100.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Windows a batch; default 32.")] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Compare a checkpoint with a fresh untrained model: loss, skill, collapse, one verdict."""
    from jepa_ray.config import EvaluateConfig, load_config
    from jepa_ray.evaluate import evaluate

    start_logging()
    values = {"batches": batches, "batch_size": batch_size}
    settings = load_config(EvaluateConfig, file=config, overrides=set_ or (), values=values)
    found = evaluate(checkpoint, processed_dir=processed_dir, dataset=dataset, config=settings)
    if json:
        print_json(found.document())
    else:
        show(found)


def show(found: "Evaluation") -> None:
    """The numbers as tables, the verdict as the last line."""
    from rich.table import Table

    out = console()
    table = Table("", "loss", "skill", "per-slot std", "RankMe", "cosine to mean", "windows")
    rows = [
        ("trained", found.trained, found.windows),
        ("untrained", found.untrained, found.windows),
    ]
    if len(found.datasets) > 1:
        rows += [(f"trained, within {name}", m, n) for name, (m, n) in found.datasets.items()]
    for name, m, n in rows:
        numbers = (f"{m.loss:.6f}", f"{m.skill:.3f}", f"{m.slot_std:.4f}", f"{m.rankme:.1f}")
        table.add_row(name, *numbers, f"{m.cosine_to_mean:.4f}", f"{n:,}")
    out.print(table)
    for warning in found.warnings:
        out.print(f"Warning: {warning}", markup=False)
    out.print(f"Verdict: {found.verdict.sentence}", markup=False, soft_wrap=True)
