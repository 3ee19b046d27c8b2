"""`jepa-ray verify`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from jepa_ray.cli.console import print_json, start_logging
from jepa_ray.cli.options import Json

if TYPE_CHECKING:
    from jepa_ray.confirm.checks import Check


def run(
    run: Annotated[str, typer.Argument(help="Folder of a confirmation run; path or URL.")],
    processed_dir: Annotated[
        str | None, typer.Option(help="Folder of prepared windows; default: the recorded one.")
    ] = None,
    json: Json = False,
) -> None:
    """Prove a confirmation run: checkpoints, settings, corpus, losses computed again."""
    from jepa_ray.cli.checks import check_run

    start_logging()
    check_run(run, processed_dir)
    from jepa_ray.confirm.verify import verify

    checks = verify(run, processed_dir=processed_dir, progress=_silent if json else _show)
    failed = sum(not check.ok for check in checks)
    if json:
        print_json({"run": run, "failed": failed, "checks": [asdict(check) for check in checks]})
    else:
        typer.echo(closing(failed, len(checks)))
    if failed:
        raise typer.Exit(1)


def closing(failed: int, made: int) -> str:
    """What it comes to, in one line."""
    if failed:
        found = f"{failed} of {made} checks FAILED: this run is not what it says it is"
        return f"{found} (what to do: docs/verify.md)."
    return f"All {made} checks are ok."


def _show(check: "Check") -> None:
    typer.echo(str(check))


def _silent(check: "Check") -> None:
    pass
