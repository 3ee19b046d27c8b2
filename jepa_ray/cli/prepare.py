"""`jepa-ray prepare`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jepa_ray.cli.console import (
    Ticker,
    check_run_id,
    console,
    print_json,
    print_manifests,
    start_logging,
)
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir, RunId
from jepa_ray.errors import StageError

if TYPE_CHECKING:
    from jepa_ray.prepare import PrepareResult


def run(
    dataset: Annotated[str, typer.Option(help="all, or names separated by commas.")],
    data_root: Annotated[str, typer.Option(help="Folder or URL of the raw sources.")],
    processed_dir: ProcessedDir,
    reports_dir: Annotated[str, typer.Option(help="Folder for the report of the run.")],
    run_id: RunId,
    windowing: Annotated[
        Literal["record", "actor_day"] | None,
        typer.Option(help="A window per record, or all of an actor's day in one."),
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Turn raw sources into windows: Parquet, manifest, statistics, quarantine, dataset card."""
    from jepa_ray.config import PrepareConfig, load_config
    from jepa_ray.prepare import prepare

    start_logging()
    check_run_id(run_id)
    values = {"windowing": windowing}
    settings = load_config(PrepareConfig, file=config, overrides=set_ or (), values=values)
    with Ticker() as tick:
        result = prepare(
            [name.strip() for name in dataset.split(",") if name.strip()],
            data_root=data_root,
            processed_dir=processed_dir,
            reports_dir=reports_dir,
            run_id=run_id,
            config=settings,
            progress=lambda name, records: tick(f"{name}: {records:,} records"),
        )
    if json:
        print_json(result.document())
    else:
        show(result)
    if result.failed:
        raise StageError("; ".join(f"{name}: {why}" for name, why in result.failed.items()))


def show(result: "PrepareResult") -> None:
    """The run as a table."""
    print_manifests(f"prepare {result.run_id}", result.manifests)
    if all(m.get("unchanged") for m in result.manifests.values()):
        console().print("Nothing to do: the input is unchanged.")
