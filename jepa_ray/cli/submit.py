"""`jepa-ray submit`."""

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jepa_ray.cli.console import print_json, start_logging
from jepa_ray.cli.options import Json
from jepa_ray.errors import UsageError

if TYPE_CHECKING:
    from jepa_ray.submit import Jobs, Submission

_LOG_AGAIN = ", last available logs"
"""From here on Ray's message repeats the log, which was shown as it came."""


def run(
    verb: Annotated[
        str, typer.Argument(help="prepare, train, confirm, evaluate, ...: docs/cluster.md.")
    ],
    config: Annotated[Path, typer.Argument(help="Job file, YAML; jobs/ has examples.")],
    address: Annotated[
        str | None, typer.Option(help="Job server; default: http://127.0.0.1:8265.")
    ] = None,
    working_dir: Annotated[
        Path | None, typer.Option(help="Folder to send, with the job file; default: its own.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(help="Id of a job to follow, or to run again if it broke off.")
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the id and leave.")] = False,
    json: Json = False,
) -> None:
    """Run a verb as a job of a Ray cluster; shows its log and ends with its exit code."""
    from jepa_ray.cli.job import arguments_of, read, require_absolute
    from jepa_ray.submit import Jobs, require_small

    start_logging()
    document = read(config)
    arguments_of(verb, document)  # a mistake shows here, not on the cluster
    require_absolute(document)
    folder = (working_dir or config.parent).absolute()
    what = submission(verb, config.absolute(), folder, document)
    require_small(folder)
    jobs = Jobs(address)
    job_id = _resumed(jobs, resume, what) if resume else jobs.submit(what)
    sys.stderr.write(f"job {job_id} at {jobs.address}\n")
    if no_wait:
        _tell(json, {"job": job_id, "status": jobs.job(job_id).status, "exit_code": None}, job_id)
        return
    _follow(jobs, job_id, json=json)


def submission(verb: str, config: Path, folder: Path, document: Mapping[str, Any]) -> "Submission":
    """What is sent for a job file.

    Raises:
        UsageError: The file is not in the folder that is sent.
    """
    import json as json_

    from jepa_ray.cli.job import SUBMITTED_WITH, versions
    from jepa_ray.submit import Submission

    if not config.is_relative_to(folder):
        raise UsageError(f"{config} is not in --working-dir {folder}, so the job would not find it")
    run_id = str(document.get("run_id") or _run_of(_looked_at(document)))
    dataset = document.get("dataset") or ""
    shown = ",".join(map(str, dataset)) if isinstance(dataset, list) else str(dataset)
    place = shlex.quote(config.relative_to(folder).as_posix())
    return Submission(
        entrypoint=f"python -m jepa_ray.cli.job {verb} {place}",
        working_dir=folder,
        metadata={"verb": verb, "run_id": run_id, "dataset": shown},
        name=f"{verb}-{run_id}" if run_id else verb,
        environment={SUBMITTED_WITH: json_.dumps(versions())},
    )


def _looked_at(document: Mapping[str, Any]) -> str:
    """The run or checkpoint that a job of no run id of its own is about."""
    named = (document.get(key) for key in ("checkpoint", "run", "folder"))
    return str(next((place for place in named if place), ""))


def _run_of(checkpoint: str) -> str:
    """The name of the run that a checkpoint is of: that of its folder."""
    folder = checkpoint.rstrip("/").removesuffix(".pt").removesuffix("/schedule_jepa")
    return re.sub(r"[^A-Za-z0-9._-]", "_", folder.rpartition("/")[2])


def _resumed(jobs: "Jobs", job_id: str, what: "Submission") -> str:
    """The job to follow: the one of the id while it runs or if it succeeded, else a new one."""
    before = jobs.job(job_id)
    for key in ("verb", "run_id"):
        if before.metadata.get(key) != what.metadata[key]:
            raise UsageError(
                f"job {job_id} had {key} {before.metadata.get(key)!r}, the job file has "
                f"{what.metadata[key]!r}: that would be another job; submit it without --resume"
            )
    if not before.over or before.status == "SUCCEEDED":
        return job_id
    return jobs.submit(replace(what, metadata=dict(what.metadata) | {"resumes": job_id}))


def _follow(jobs: "Jobs", job_id: str, *, json: bool) -> None:
    out = sys.stderr if json else sys.stdout

    def show(text: str) -> None:
        out.write(text)
        out.flush()

    try:
        job = jobs.follow(job_id, show)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\nthe job goes on; --resume {job_id} shows its log again, `ray job stop {job_id}` "
            "ends it\n"
        )
        raise
    said = job.message.partition(_LOG_AGAIN)[0].strip()
    if job.exit_code and said:
        sys.stderr.write(f"job {job_id} {job.status.lower()}: {said}\n")
    document = {"job": job_id, "status": job.status, "exit_code": job.exit_code}
    _tell(json, document, f"job {job_id}: {job.status}")
    if job.exit_code:
        raise typer.Exit(job.exit_code)


def _tell(json: bool, document: dict[str, Any], line: str) -> None:
    if json:
        print_json(document)
    else:
        typer.echo(line)
