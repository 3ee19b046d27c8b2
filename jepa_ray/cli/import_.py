"""`jepa-ray import`."""

from typing import TYPE_CHECKING, Annotated

import typer

from jepa_ray.cli.console import Ticker, console, print_json, print_manifests, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir, dataset_names
from jepa_ray.errors import StageError

if TYPE_CHECKING:
    from jepa_ray.exchange import ImportResult


def run(
    folder: Annotated[str, typer.Argument(help="Folder of records: <dataset>/train.jsonl.gz ...")],
    processed_dir: ProcessedDir,
    dataset: Annotated[str, typer.Option(help="all, or names separated by commas.")] = "all",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also replace windows that prepare made.")
    ] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Turn JSON records into prepared windows: what export wrote, or another producer."""
    from jepa_ray.config import ImportConfig, load_config
    from jepa_ray.exchange import import_records

    start_logging()
    settings = load_config(ImportConfig, file=config, overrides=set_ or ())
    with Ticker() as tick:
        result = import_records(
            folder,
            processed_dir,
            names=dataset_names(dataset),
            config=settings,
            overwrite=overwrite,
            progress=lambda name, records: tick(f"{name}: {records:,} records"),
        )
    if json:
        print_json(result.document())
    else:
        show(result)
    if result.failed:
        raise StageError("; ".join(f"{name}: {why}" for name, why in result.failed.items()))


def show(result: "ImportResult") -> None:
    """The datasets as a table, and what of the metadata was not kept."""
    print_manifests(f"import into {result.processed_dir}", result.manifests)
    out = console()
    for name, m in result.manifests.items():
        if m["metadata_dropped"]:
            keys = ", ".join(f"{key}: {n:,}" for key, n in m["metadata_dropped"].items())
            out.print(f"{name}: metadata not kept: {keys}", markup=False, soft_wrap=True)
