"""The app and its verbs."""

from typing import Annotated

import typer

from jepa_ray import __version__
from jepa_ray.cli import (
    confirm,
    demo,
    doctor,
    embed,
    evaluate,
    export,
    import_,
    inspect,
    normalize_jira,
    prepare,
    probe,
    report,
    smoke,
    sources,
    submit,
    synth,
    train,
    verify,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


app = typer.Typer(
    name="jepa-ray",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
VERBS = (
    demo, synth, sources, normalize_jira, prepare, inspect, smoke, train, confirm, verify, evaluate,
    probe, embed, report, export, import_, doctor, submit,
)  # fmt: skip
"""In the order of work, which is that of `--help`, README.md and docs/cli.md."""
for verb in VERBS:
    app.command(name=verb.__name__.rpartition(".")[2].rstrip("_").replace("_", "-"))(verb.run)


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Pretrain a JEPA on schedule windows with Ray: prepare, train, evaluate."""
