"""`jepa-ray probe`."""

from typing import Annotated, Any

import typer

from jepa_ray.cli.console import Ticker, console, print_json, start_logging
from jepa_ray.cli.options import ConfigFile, Json, Overrides, ProcessedDir


def run(
    checkpoint: Annotated[
        str,
        typer.Argument(help="schedule_jepa.pt, its folder, or a confirmation run; path or URL."),
    ],
    processed_dir: ProcessedDir,
    downstream: Annotated[
        str | None, typer.Option(help="Folder of delayed_issues/, jira_deadlines/; docs/probes.md.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Tasks, separated by commas; default: all.")
    ] = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
) -> None:
    """Say what frozen embeddings are good for, beside arms that are cheaper; writes probes.json."""
    from jepa_ray.cli.checks import check_checkpoint, check_windows
    from jepa_ray.config import ProbeConfig, load_config

    start_logging()
    settings = load_config(ProbeConfig, file=config, overrides=set_ or ())
    check_checkpoint(checkpoint)
    check_windows(processed_dir)
    from jepa_ray.evaluate.probes import TASKS, probe

    names = TASKS if task is None else [part.strip() for part in task.split(",") if part.strip()]
    with Ticker() as tick:
        found = probe(
            checkpoint,
            processed_dir=processed_dir,
            downstream=downstream,
            tasks=names,
            config=settings,
            progress=tick,
        )
    if json:
        print_json(found)
    else:
        show(found)


def show(found: dict[str, Any]) -> None:
    """Scores as a table, a sentence a task, what was skipped, and the verdict as the last line."""
    from rich.table import Table

    from jepa_ray.evaluate.probes.sentences import AGAIN

    out = console()
    entries = found["tasks"]
    arms = list(dict.fromkeys(arm for entry in entries.values() for arm in entry["arms"]))
    if entries:
        table = Table("task", "metric", "test", *arms)
        for name, entry in entries.items():
            scores = [
                f"{entry['arms'][arm]['score']:.3f}" if arm in entry["arms"] else "" for arm in arms
            ]
            table.add_row(name, entry["metric"], f"{entry['test']:,}", *scores)
            for key, words in AGAIN.items():
                other = entry[key]
                if other:
                    cells = [f"{other[arm]['score']:.3f}" if arm in other else "" for arm in arms]
                    table.add_row(f"  {words.lower()}", "", "", *cells)
        out.print(table)
    for name, entry in entries.items():
        out.print(f"{name}: {entry['sentence']}", markup=False, soft_wrap=True)
    for name, reason in found["skipped"].items():
        out.print(f"Skipped {name}: {reason}.", markup=False, soft_wrap=True)
    for warning in found["warnings"]:
        out.print(f"Warning: {warning}", markup=False)
    out.print(f"Verdict: {found['verdict']}", markup=False, soft_wrap=True)
