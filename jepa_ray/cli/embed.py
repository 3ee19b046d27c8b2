"""`jepa-ray embed`."""

from typing import TYPE_CHECKING, Annotated

import typer

from jepa_ray.cli.console import Ticker, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides

if TYPE_CHECKING:
    from jepa_ray.evaluate import EmbedResult


def run(
    checkpoint: Annotated[str, typer.Argument(help="schedule_jepa.pt or its folder; path or URL.")],
    input_: Annotated[
        str,
        typer.Option("--input", help="Folder of prepared windows, or of one dataset; path or URL."),
    ],
    output: Annotated[str, typer.Option(help="Name of the table, a folder; path or URL.")],
    per_slot: Annotated[
        bool, typer.Option("--per-slot", help="Also the embedding of each of the 96 slots.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace embeddings that are there.")
    ] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Embed windows: a Parquet table with a vector a window, beside its uid."""
    from jepa_ray.cli.checks import check_checkpoint
    from jepa_ray.config import EmbedConfig, load_config
    from jepa_ray.errors import CorpusError
    from jepa_ray.storage import exists

    start_logging()
    settings = load_config(EmbedConfig, file=config, overrides=set_ or ())
    check_checkpoint(checkpoint)
    if not exists(input_):
        raise CorpusError(f"nothing at {input_}: --input names windows that `prepare` wrote")
    from jepa_ray.evaluate import embed_windows

    with Ticker() as tick:
        result = embed_windows(
            checkpoint,
            input_,
            output,
            per_slot=per_slot,
            overwrite=overwrite,
            config=settings,
            progress=lambda windows, total: tick(f"{windows:,} of {total:,} windows"),
        )
    if json:
        print_json(result.public())
    else:
        typer.echo(closing(result))


def closing(result: "EmbedResult") -> str:
    """What a run came to, in two lines."""
    found = result.document
    if result.unchanged:
        return f"{found['output']}\nNothing to do: it holds these {found['windows']:,} windows."
    return (
        f"{found['output']}\n{found['windows']:,} windows in {found['seconds']:.0f} s on "
        f"{found['device']}, {found['d_model']} numbers each"
    )
