"""`jepa-ray report`."""

from typing import Annotated

import typer

from jepa_ray.cli.console import print_json, start_logging
from jepa_ray.cli.options import Json


def run(
    folder: Annotated[str, typer.Argument(help="Folder of a run or of a training; path or URL.")],
    processed_dir: Annotated[
        str | None, typer.Option(help="Folder of prepared windows; default: what the run says.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="Where to; default: RUN/report.")] = None,
    json: Json = False,
) -> None:
    """Write a page and cards that say what a run found; from its result files only."""
    from jepa_ray.cli.checks import check_run

    start_logging()
    check_run(folder, processed_dir)
    from jepa_ray.report import write_report

    found = write_report(folder, processed_dir=processed_dir, output=output)
    if json:
        print_json(found)
        return
    typer.echo(f"{found['page']} ({found['bytes']:,} bytes), {len(found['cards'])} cards beside it")
