"""`jepa-ray train`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jepa_ray.cli.console import Ticker, check_run_id, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir, RunId

if TYPE_CHECKING:
    from jepa_ray.train import TrainResult


def run(
    processed_dir: ProcessedDir,
    storage_path: Annotated[str, typer.Option(help="Folder under which runs are kept.")],
    run_id: RunId,
    dataset: Annotated[
        str, typer.Option(help="combined, or names separated by commas.")
    ] = "combined",
    preset: Annotated[
        str | None, typer.Option(help="Where settings start from: reference or robust.")
    ] = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of the split.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Train a JEPA on prepared windows; leaves <storage-path>/<run-id>/schedule_jepa.pt.

    The same command again goes on where a stopped run was.
    """
    from jepa_ray.cli.checks import check_training
    from jepa_ray.config import TrainConfig, load_config

    start_logging()
    check_run_id(run_id)
    values = {"preset": preset, "split.seed": split_seed, "steps": steps}
    settings = load_config(TrainConfig, file=config, overrides=set_ or (), values=values)
    check_training(processed_dir, dataset, settings)
    from jepa_ray.train import train

    with Ticker() as tick:
        result = train(
            processed_dir=processed_dir,
            dataset=dataset,
            storage_path=storage_path,
            run_id=run_id,
            config=settings,
            progress=lambda row: tick(describe(row, settings.steps), always="val_loss" in row),
        )
    if json:
        told = asdict(result)
        del told["collapsing"]  # the keys of `--json` are fixed; metrics.jsonl has it
        print_json(told)
    else:
        typer.echo(closing(result))


def closing(result: "TrainResult") -> str:
    """What a finished training comes to, in three lines."""
    collapse = "The embeddings collapse (docs/training.md says what helps). "
    return (
        f"{result.checkpoint}\n{result.steps} steps in {result.seconds:.0f} s on {result.device}, "
        f"Ray's start included: {scores(asdict(result))}\n"
        f"{collapse if result.collapsing else ''}"
        "A low loss proves nothing by itself: run `jepa-ray evaluate`."
    )


def describe(row: dict[str, Any], steps: int) -> str:
    """A metrics row in one line."""
    if "val_loss" not in row:
        return f"step {row['step']} of {steps}: loss {row['loss']:.4f}"
    return f"step {row['step']} of {steps}: {scores(row)}"


def scores(row: dict[str, Any]) -> str:
    """The numbers of a validation; there is no skill where no embedding is predicted."""
    skill = "" if row["skill"] is None else f"skill {row['skill']:.3f}, "
    return (
        f"validation loss {row['val_loss']:.6f}, {skill}RankMe {row['rankme']:.1f}, per-slot std "
        f"{row['slot_std']:.3f}, cosine to mean {row['cosine_to_mean']:.3f}"
    )
