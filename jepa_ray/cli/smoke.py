"""`jepa-ray smoke`."""

from dataclasses import asdict
from typing import Annotated

import typer

from jepa_ray.cli.console import Ticker, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir
from jepa_ray.cli.train import describe

STEPS = 20


def run(
    processed_dir: ProcessedDir,
    dataset: Annotated[
        str, typer.Option(help="combined, or names separated by commas.")
    ] = "combined",
    storage_path: Annotated[
        str | None, typer.Option(help="Shared folder for a cluster; default: a temporary one.")
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Prove data and device path with a few steps; the model is worth nothing and is removed."""
    from jepa_ray.cli.checks import check_training
    from jepa_ray.config import TrainConfig, load_config

    start_logging()
    values = {"steps": STEPS, "val_every": STEPS, "val_batches": 2}
    settings = load_config(TrainConfig, file=config, overrides=set_ or (), values=values)
    check_training(processed_dir, dataset, settings)
    from jepa_ray.train import run_smoke

    with Ticker() as tick:
        found = run_smoke(
            processed_dir=processed_dir,
            dataset=dataset,
            config=settings,
            storage_path=storage_path,
            progress=lambda row: tick(describe(row, settings.steps)),
        )
    if json:
        print_json(asdict(found))
        return
    typer.echo(
        f"{found.steps} steps on {found.workers} worker(s), {found.device}, backend "
        f"{found.backend}, {found.precision}, load_mode {found.load_mode}: "
        f"{found.steps_per_second:.1f} steps/s, {found.data_wait_seconds * 1000:.2f} ms a step "
        f"waiting for data, {found.windows:,} windows; {found.seconds:.0f} s in all\n{found.note}"
    )
