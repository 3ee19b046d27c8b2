"""`jepa-ray normalize-jira`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jepa_ray.cli.console import Ticker, console, print_json
from jepa_ray.cli.options import Json
from jepa_ray.errors import StageError

if TYPE_CHECKING:
    from jepa_ray.adapters.jira_normalize import Normalized


def run(
    archive: Annotated[
        str, typer.Argument(help="mongodump archive, or folder of .bson files; path or URL.")
    ],
    out: Annotated[str, typer.Argument(help="File to write: *.jsonl.gz; path or URL.")],
    redact_text: Annotated[
        bool, typer.Option("--redact-text", help="An x or a dot for each character of the texts.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the issues of the Public Jira dump as JSON lines, without a MongoDB server."""
    from jepa_ray.adapters.jira_normalize import normalize_jira
    from jepa_ray.storage import source_path

    with Ticker() as tick:
        result = normalize_jira(
            source_path(archive),
            out,
            redact_text=redact_text,
            progress=lambda documents: tick(f"{documents:,} documents"),
        )
    if json:
        print_json(result.document())
    else:
        _show(result)
    if not result.records:
        sys.stderr.write(f"jepa-ray: {archive} holds no issue: is it the dump of Jira?\n")
    if result.broken:
        raise StageError(
            f"{archive} is damaged: {'; '.join(result.broken)}. {out} holds the {result.records:,} "
            "issues that could be read; get the dump again for the rest"
        )


def _show(result: "Normalized") -> None:
    from rich.table import Table

    out = console()
    table = Table("collection", "documents", "checksum", title=f"{result.records:,} issues written")
    said = {True: "right", False: "WRONG", None: "none"}
    for name, found in result.namespaces.items():
        table.add_row(ascii(name)[1:-1], f"{found.documents:,}", said[found.crc_ok])
    out.print(table)
    for title, counts in (("skipped", result.skipped), ("rejected", result.rejected)):
        for reason, count in counts.items():
            out.print(f"{title}: {count:,} {reason}", markup=False)
