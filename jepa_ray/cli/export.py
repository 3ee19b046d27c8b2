"""`jepa-ray export`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from jepa_ray.cli.console import Ticker, console, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, dataset_names

if TYPE_CHECKING:
    from jepa_ray.exchange.export import ExportResult


class Format(StrEnum):
    """What an export can write."""

    JSONL = "jsonl"


def run(
    processed_dir: Annotated[str, typer.Argument(help="Folder of prepared windows.")],
    output: Annotated[str, typer.Option(help="Folder for the records; one more a dataset.")],
    format_: Annotated[
        Format, typer.Option("--format", help="jsonl: train.jsonl.gz and val.jsonl.gz.")
    ] = Format.JSONL,
    dataset: Annotated[str, typer.Option(help="all, or names separated by commas.")] = "all",
    split_seed: Annotated[int | None, typer.Option(help="Seed of the split.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an export that is there.")
    ] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Write prepared windows as JSON records, train and val, split as training splits them."""
    from jepa_ray.cli.checks import check_windows
    from jepa_ray.config import ExportConfig, load_config

    assert format_ is Format.JSONL
    start_logging()
    values = {"split.seed": split_seed}
    settings = load_config(ExportConfig, file=config, overrides=set_ or (), values=values)
    check_windows(processed_dir)
    from jepa_ray.exchange.export import export_records

    with Ticker() as tick:
        result = export_records(
            processed_dir,
            output,
            names=dataset_names(dataset),
            split=settings.split,
            overwrite=overwrite,
            progress=lambda name, records: tick(f"{name}: {records:,} records"),
        )
    if json:
        print_json(result.document())
    else:
        show(result)


def show(result: "ExportResult") -> None:
    """The datasets as a table."""
    from rich.table import Table

    title = f"export to {result.output}"
    table = Table("dataset", "status", "train", "val", "MB", "reason", title=title)
    for name, d in result.datasets.items():
        numbers = (f"{d.train:,}", f"{d.val:,}", f"{d.bytes / 1e6:,.3f}")
        table.add_row(name, d.status, *numbers, d.reason or "")
    console().print(table)
