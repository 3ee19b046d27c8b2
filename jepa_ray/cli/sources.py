"""`jepa-ray sources`."""

from typing import Annotated

import typer

from jepa_ray.cli.console import console, print_json
from jepa_ray.cli.options import Json


def run(
    data_root: Annotated[
        str | None, typer.Option(help="Folder or URL of the raw sources: says which are there.")
    ] = None,
    json: Json = False,
) -> None:
    """List the datasets: what they are, whether they are there, how to get them."""
    from rich.table import Column, Table

    from jepa_ray.adapters import broken, catalogue
    from jepa_ray.storage import source_folder

    root = None if data_root is None else source_folder(data_root)
    entries = catalogue(root)
    if json:
        print_json({"sources": entries})
        return
    out = console()
    table = Table(Column("dataset", no_wrap=True), "group", "status", "MB")
    for e in entries:
        size = "" if e["bytes"] is None else f"{e['bytes'] / 1e6:,.3f}"
        table.add_row(e["dataset"], e["group"], e["status"], size)
    out.print(table)
    for e in entries:
        out.print(f"{e['dataset']}", style="bold", markup=False)
        lines = (
            f"  path: {e['path']}\n  licence: {e['licence']}\n  how to get it: {e['how_to_get']}"
        )
        out.print(lines, markup=False, soft_wrap=True)
        if e["reason"]:
            out.print(f"  {e['status']}: {e['reason']}", markup=False, soft_wrap=True)
    for name, why in broken().items():
        out.print(f"{name}: broken: {why}", style="red", markup=False, soft_wrap=True)
