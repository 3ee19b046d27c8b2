"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

from jepa_ray.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; logs on stderr.")]


def config_file(text: str) -> Path:
    """A file of settings, on a disk or in an object store.

    Raises:
        UsageError: Nothing here knows the scheme.
    """
    from jepa_ray.storage import source_path

    return source_path(text)


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        parser=config_file,
        metavar="FILE",
        help="YAML file with settings, path or URL; docs/configuration.md.",
    ),
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, key=value or a.b=value; repeatable.")
]
ProcessedDir = Annotated[str, typer.Option(help="Folder of prepared windows.")]
RunId = Annotated[str, typer.Option(help="Name of this run.")]


def dataset_names(text: str) -> list[str] | None:
    """The names of a list separated by commas; None for `all`.

    Raises:
        UsageError: There is no name.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("no dataset: give `all`, or names separated by commas")
    return None if "all" in names else list(dict.fromkeys(names))
