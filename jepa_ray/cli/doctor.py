"""`jepa-ray doctor`."""

import os
from dataclasses import asdict
from typing import Annotated

import typer

from jepa_ray.cli.console import print_json
from jepa_ray.cli.options import Json


def run(
    address: Annotated[
        str | None,
        typer.Option(help="host:port of a cluster's GCS, or auto; default: RAY_ADDRESS, if set."),
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="Path or URL that every node has to write to.")
    ] = None,
    remove_uploads: Annotated[
        float | None,
        typer.Option(
            min=0, help="Remove unfinished uploads there that began more than so many hours ago."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check this machine, or every node of a cluster; each line passes or says what to do."""
    from jepa_ray.doctor import OF_A_CLUSTER, examine

    address = address or os.environ.get("RAY_ADDRESS") or None
    found = examine(address=address, storage=storage, remove_uploads=remove_uploads)
    left_out = () if address else OF_A_CLUSTER
    failures = sum(not finding.ok for finding in found)
    if json:
        findings = [asdict(finding) for finding in found]
        print_json({"ok": not failures, "findings": findings, "left_out": left_out})
    else:
        for finding in found:
            typer.echo(finding.line())
        if left_out:
            typer.echo(f"left out, for they are of a cluster (--address): {', '.join(left_out)}")
        typer.echo(f"{failures} of {len(found)} checks failed" if failures else "all is well")
    if failures:
        raise typer.Exit(1)
