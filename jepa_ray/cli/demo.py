"""`jepa-ray demo`."""

from pathlib import Path
from typing import Annotated

import typer

from jepa_ray.cli.console import Ticker, print_json, start_logging
from jepa_ray.cli.options import Json


def run(
    output: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path(
        "demo-output"
    ),
    json: Json = False,
) -> None:
    """Run the main job on generated archives: synth, prepare, train, evaluate. No download."""
    from jepa_ray.demo import run_demo

    start_logging()
    with Ticker() as tick:
        result = run_demo(output, progress=lambda line: tick(line, always=not _counts(line)))
    if json:
        print_json(result.document())
        return
    typer.echo(result.summary.read_text(encoding="utf-8"))


def _counts(line: str) -> bool:
    """Whether a line only says how far a stage is."""
    return line.startswith("prepare ") or "training" in line
