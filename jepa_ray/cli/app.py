"""The app and its verbs."""

import typer

from jepa_ray import __version__
from jepa_ray.cli import demo, evaluate, inspect, prepare, sources, train

app = typer.Typer(
    name="jepa-ray",
    help="Pretrain a JEPA on schedule windows with Ray: prepare, train, evaluate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (sources, prepare, inspect, train, evaluate, demo):
    app.command(name=verb.__name__.rpartition(".")[2])(verb.run)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
