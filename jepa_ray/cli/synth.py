"""`jepa-ray synth`."""

import re
from typing import Annotated, Any

import typer

from jepa_ray.cli.console import Ticker, console, print_json, start_logging
from jepa_ray.cli.options import Json, dataset_names
from jepa_ray.errors import UsageError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = " KMGT"


def run(
    dataset: Annotated[str, typer.Option(help="Names separated by commas.")],
    output: Annotated[str, typer.Option(help="Data root for the archives; path or URL.")],
    size: Annotated[
        str | None, typer.Option(help="Of each dataset before compression, about: 2GiB, 500MB.")
    ] = None,
    records: Annotated[int | None, typer.Option(help="Of each dataset, instead of --size.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same records.")] = 0,
    defects: Annotated[float, typer.Option(help="Share of records with a defect, 0 to 1.")] = 0.0,
    json: Json = False,
) -> None:
    """Make up archives in the raw formats, of any size, and say what prepare must make of them."""
    from jepa_ray.bulk import Wish, write_archives, write_to_store
    from jepa_ray.storage import local_path

    start_logging()
    names = dataset_names(dataset)
    if names is None:
        raise UsageError("--dataset all: name the datasets to make up, separated by commas")
    wish = Wish(records, None if size is None else size_of(size), seed, defects)
    with Ticker() as tick:
        root = local_path(output)

        def told(name: str, records: int) -> None:
            tick(f"{name}: {records:,} records")

        if root is None:
            result = write_to_store(names, output, wish, progress=told)
        else:
            result = write_archives(names, root, wish, progress=told)
    if json:
        print_json({"output": output, "datasets": result})
    else:
        show(result)


def size_of(text: str) -> int:
    """Bytes of a size as people write it; `k`, `M`, `G` and `T` are powers of 1000, `Ki` of 1024.

    Raises:
        UsageError: It is none, or 0.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = (1024 if match[3] else 1000) ** _POWERS.index(match[2].upper() or " ") if match else 0
    found = int(float(match[1]) * unit) if match else 0
    if not found or (match and match[3] and not match[2]):
        raise UsageError(f"--size {text!r}: give a number with a unit, as 2GiB, 500MB or 800kB")
    return found


def show(result: dict[str, dict[str, Any]]) -> None:
    """The archives as a table."""
    from rich.table import Table

    columns = ("dataset", "files", "records", "with defects", "raw MB", "MB on disk", "s")
    table = Table(*columns, title="synth")
    for name, made in result.items():
        bad = sum(made.get("skipped", {}).values()) + sum(made.get("quarantined", {}).values())
        sizes = (made.get("raw_bytes"), sum(file["bytes"] for file in made["files"]))
        shown = ["" if n is None else f"{n / 1e6:,.1f}" for n in sizes]
        counts = [f"{n:,}" for n in (len(made["files"]), made["records"], bad)]
        table.add_row(name, *counts, *shown, f"{made['seconds']:.1f}")
    out = console()
    out.print(table)
    if all(made["unchanged"] for made in result.values()):
        out.print("Nothing to do: the same archives are there.")
