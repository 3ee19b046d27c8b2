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
        str,
        typer.Argument(
            help="mongodump archive, folder of .bson files, or .tar.gz of answers of the API; "
            "path or URL."
        ),
    ],
    out: Annotated[str, typer.Argument(help="File to write: *.jsonl.gz; path or URL.")],
    redact_text: Annotated[
        bool, typer.Option("--redact-text", help="An x or a dot for each character of the texts.")
    ] = False,
    deadlines: Annotated[
        bool,
        typer.Option(
            "--deadlines",
            help="Instead: what was known when an issue first had a due date, and when it was "
            "resolved; no texts. For `probe`.",
        ),
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
            deadlines=deadlines,
            progress=lambda documents: tick(f"{documents:,} documents"),
        )
    if json:
        print_json(result.document())
    else:
        _show(result)
    if not result.records:
        sys.stderr.write(f"jepa-ray: {archive} {_why_none(result)}\n")
    if result.broken:
        raise StageError(
            f"{archive} is damaged: {'; '.join(result.broken)}. {out} holds the {result.records:,} "
            "issues that could be read; get the dump again for the rest"
        )


def _why_none(result: "Normalized") -> str:
    if result.rejected:
        return f"holds no issue that can be read: {dict(result.rejected)}"
    if result.skipped["no_changelog"] or result.skipped["cut_changelog"]:
        return "holds issues without their whole changelogs, so what they were is not known"
    if result.skipped["never_due"]:
        return "holds no issue that ever had a due date"
    return "holds no issue: is it the dump of Jira?"


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
