"""`jepa-ray evaluate`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jepa_ray.cli.console import console, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir

if TYPE_CHECKING:
    from rich.table import Table

    from jepa_ray.evaluate import Evaluation, RunEvaluation


def run(
    checkpoint: Annotated[
        str,
        typer.Argument(
            help="schedule_jepa.pt, the folder of a training, or a confirmation run; path or URL."
        ),
    ],
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
    """Compare a checkpoint with a fresh untrained model: loss, skill, collapse, one verdict.

    Leaves evaluation.json in the folder of a training or of a confirmation run.
    """
    from jepa_ray.cli.checks import check_checkpoint, check_windows
    from jepa_ray.config import EvaluateConfig, load_config

    start_logging()
    values = {"batches": batches, "batch_size": batch_size}
    settings = load_config(EvaluateConfig, file=config, overrides=set_ or (), values=values)
    check_checkpoint(checkpoint)
    check_windows(processed_dir, dataset)
    from jepa_ray.evaluate import confirmation, evaluate, evaluate_run, folder_of_training, keep

    if confirmation(checkpoint) is not None:
        run = evaluate_run(
            checkpoint, processed_dir=processed_dir, dataset=dataset, config=settings
        )
        print_json(run.document) if json else show_run(run)
        run.keep()
        return
    found = evaluate(checkpoint, processed_dir=processed_dir, dataset=dataset, config=settings)
    print_json(found.document()) if json else show(found)
    folder = folder_of_training(found.checkpoint)
    if folder:
        keep(found.document(), folder)


def show(found: "Evaluation") -> None:
    """The numbers as tables, the verdict as the last line."""
    from rich.table import Table

    out, document = console(), found.document()
    table = Table("", "loss", "skill", "per-slot std", "RankMe", "cosine to mean", "windows")
    rows = [
        ("trained", found.trained, found.windows),
        ("untrained", found.untrained, found.windows),
    ]
    if len(found.datasets) > 1:
        rows += [(f"trained, within {name}", m, n) for name, (m, n) in found.datasets.items()]
    sure = {f"trained, within {k}": v["skill_interval"] for k, v in document["datasets"].items()}
    sure["trained"] = document["intervals"]["skill"]
    for name, m, n in rows:
        skill = f"{m.skill:.3f}{_interval(sure.get(name))}"
        numbers = (f"{m.loss:.6f}", skill, f"{m.slot_std:.4f}", f"{m.rankme:.1f}")
        table.add_row(name, *numbers, f"{m.cosine_to_mean:.4f}", f"{n:,}")
    out.print(table)
    out.print(_others(document))
    out.print(_controls(document))
    sample = document["sample"]
    out.print(
        f"{sample['windows']:,} windows, {sample['distinct']:,} distinct, as varied as "
        f"{sample['effective']:,.0f} of equal weight; {sample['seen_in_training']:.0%} equal a "
        "training window; brackets hold 95 % intervals",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    for warning in found.warnings:
        out.print(f"Warning: {warning}", markup=False)
    out.print(f"Verdict: {found.verdict.sentence}", markup=False, soft_wrap=True)


def _others(document: dict[str, Any]) -> "Table":
    """Baselines, kinds of masks and distances side by side: all are losses on the same targets."""
    from rich.table import Table

    table = Table("the same targets", "loss", "skill", title="Baselines, masks, distance")
    for name, row in document["baselines"].items():
        table.add_row(f"baseline {name}" if name != "model" else name, *_scores(row))
    table.add_section()
    for name, row in document["by_mask"].items():
        table.add_row(f"mask {name}", *_scores(row))
    table.add_section()
    for row in document["by_distance"]:
        last = "" if row["to"] == row["from"] else f" to {row['to']}"
        table.add_row(f"{row['from']}{last} slots from a visible one", *_scores(row))
    return table


def _scores(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['loss']:.6f}", f"{row['skill']:.3f}{_interval(row.get('skill_interval'))}"


def _controls(document: dict[str, Any]) -> "Table":
    from rich.table import Table

    words = {True: "passed", False: "failed", None: "cannot tell"}
    table = Table("control", "expected", "outcome", "what it says", title="Negative controls")
    for name, row in document["controls"].items():
        outcome = "not judged" if "not judged" in row["expected"] else words[row["passed"]]
        table.add_row(name, row["expected"], outcome, row["sentence"])
    return table


def show_run(found: "RunEvaluation") -> None:
    """A row a pass, the spread over seeds, and the verdict as the last line."""
    from rich.table import Table

    out, document = console(), found.document
    table = Table("pass", "status", "loss", "untrained", "skill", "RankMe", "per-slot std")
    for name, each in document["passes"].items():
        m, fresh = each["trained"], each["untrained"]
        skill = f"{m['skill']:.3f}{_interval(each['intervals']['skill'])}"
        losses = (f"{m['loss']:.6f}", f"{fresh['loss']:.4f}")
        table.add_row(
            name, each["status"], *losses, skill, f"{m['rankme']:.1f}", f"{m['slot_std']:.4f}"
        )
    table.add_section()
    wanted = ("loss", "untrained_loss", "skill", "rankme", "slot_std")
    spreads = [document["spread"][key] for key in wanted]
    cells = [_mean(name, s) for name, s in zip(wanted, spreads, strict=True)]
    table.add_row("mean over seeds", document["status"], *cells)
    out.print(table)
    for warning in document["warnings"]:
        out.print(f"Warning: {warning}", markup=False)
    out.print(f"Verdict: {document['verdict']}", markup=False, soft_wrap=True)


def _mean(number: str, spread: dict[str, Any]) -> str:
    """Over seeds; the interval as in the report."""
    from jepa_ray.report.spreads import interval

    ends = interval(number, spread["low"], spread["high"], spread["n"])
    return f"{spread['mean']:.4g}" + (f" \\[{ends[0]:.4g}, {ends[1]:.4g}]" if ends else "")


def _interval(ends: list[float] | None) -> str:
    return f" [{ends[0]:.3f}, {ends[1]:.3f}]".replace("[", "\\[") if ends else ""
