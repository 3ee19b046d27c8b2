"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; logs on stderr.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="YAML file with settings; docs/configuration.md.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, key=value or a.b=value; repeatable.")
]
ProcessedDir = Annotated[str, typer.Option(help="Folder of prepared windows.")]
RunId = Annotated[str, typer.Option(help="Name of this run.")]
