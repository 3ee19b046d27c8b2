"""The stage: which datasets need work, do it, make each visible by its manifest.

A dataset's folder holds `windows/`, `quarantine/`, `stats.json`, `README.md` and, written last,
`manifest.json`, which lists the files that count. Until then readers see the state before: a killed
run leaves nothing half-visible, and what it left behind is removed by the next one.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jepa_ray.adapters import Adapter, Shard, SourceFile, select
from jepa_ray.cluster import session
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.prepare.block import BlockReport, write_empty_part
from jepa_ray.prepare.documents import (
    Manifest,
    card,
    empty_manifest,
    filled_manifest,
    public,
    run_markdown,
)
from jepa_ray.prepare.fingerprint import dataset_fingerprint, file_fingerprint, source_files
from jepa_ray.storage import delete, join, list_names, read_json, write_bytes, write_json

log = logging.getLogger(__name__)

Progress = Callable[[str, int], None]
"""Told (dataset, records so far) whenever a block is done."""


@dataclass(frozen=True)
class Plan:
    """One dataset with what there is to read and what is there already."""

    adapter: type[Adapter]
    shards: list[Shard]
    files: list[tuple[SourceFile, str]]
    fingerprint: str
    target: str
    before: Manifest | None

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.adapter.info.dataset

    @property
    def unchanged(self) -> bool:
        """Whether the prepared windows are those of just this input, and complete."""
        m = self.before
        return (
            m is not None
            and m["status"] == "completed"
            and m["fingerprint"] == self.fingerprint
            and {p["name"] for p in m["parts"]} <= set(list_names(join(self.target, "windows")))
        )


@dataclass(frozen=True)
class PrepareResult:
    """Manifests by dataset, with `seconds` and `unchanged` added; and what failed."""

    run_id: str
    manifests: dict[str, Manifest]

    @property
    def failed(self) -> dict[str, str]:
        """Reasons of the datasets that failed."""
        return {n: str(m["reason"]) for n, m in self.manifests.items() if m["status"] == "failed"}

    def document(self) -> dict[str, object]:
        """`prepare --json` and the report of the run."""
        return {
            "run_id": self.run_id,
            "datasets": {name: public(m) for name, m in self.manifests.items()},
        }


def prepare(
    names: list[str],
    *,
    data_root: Path,
    processed_dir: str,
    reports_dir: str,
    run_id: str,
    config: PrepareConfig,
    progress: Progress = lambda _dataset, _records: None,
) -> PrepareResult:
    """Turn raw sources into prepared datasets.

    Args:
        names: Dataset names, aliases, or `all`.
        data_root: Where the raw sources lie.
        processed_dir: Path or URL; gets a folder a dataset.
        reports_dir: Path or URL; gets `<run_id>.json` and `.md`.
        run_id: Name of this run.
        config: Settings; the environment variable JEPA_RAY_ACTOR_SALT overrides the salt.
        progress: Called as blocks finish.

    Returns:
        The manifests. A dataset that failed is there with its reason and counts; the others are
        finished all the same.

    Raises:
        SourceError: A name is unknown, a dataset asked for by name has no source, or the data root
            does not exist.
    """
    if not data_root.is_dir():
        raise SourceError(
            f"data root {data_root} is not a folder; --data-root names the raw sources"
        )
    salt = os.environ.get("JEPA_RAY_ACTOR_SALT")
    if salt:
        config = config.model_copy(update={"actor_salt": salt})
    plans = [_plan(a, data_root, processed_dir, config) for a in select(names)]
    named = {adapter.info.dataset for adapter in select(name for name in names if name != "all")}
    _refuse_absent([plan for plan in plans if plan.dataset in named], data_root)
    manifests: dict[str, Manifest] = {}
    todo = [plan for plan in plans if plan.shards and not plan.unchanged]
    for plan in plans:
        if plan.adapter.info.blocked:
            manifests[plan.dataset] = write_blocked(plan, config)
        elif not plan.shards:
            manifests[plan.dataset] = _missing(plan, config)
        elif plan.unchanged and plan.before:
            log.info("%s: unchanged, nothing to do", plan.dataset)
            manifests[plan.dataset] = plan.before | {"seconds": 0.0, "unchanged": True}
    if todo:
        with session(num_cpus=config.num_cpus):
            for plan in todo:
                manifests[plan.dataset] = _prepare_one(plan, config, progress)
    ordered = {plan.dataset: manifests[plan.dataset] for plan in plans}
    result = PrepareResult(run_id, ordered)
    write_json(join(reports_dir, f"{run_id}.json"), result.document())
    write_bytes(join(reports_dir, f"{run_id}.md"), run_markdown(run_id, ordered).encode())
    return result


def _plan(
    adapter: type[Adapter], data_root: Path, processed_dir: str, config: PrepareConfig
) -> Plan:
    try:
        shards = adapter(config).shards(data_root)
        files = [(file, file_fingerprint(file)) for file in source_files(shards)]
    except OSError as error:
        raise SourceError(
            f"{adapter.info.dataset}: {error.filename} cannot be read: {error.strerror}"
        ) from error
    target = join(processed_dir, adapter.info.dataset)
    return Plan(
        adapter=adapter,
        shards=shards,
        files=files,
        fingerprint=dataset_fingerprint(adapter, config, files),
        target=target,
        before=_manifest(target),
    )


def _manifest(target: str) -> Manifest | None:
    """The manifest in place; None when there is none that can be read."""
    try:
        found = read_json(join(target, "manifest.json"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    wanted = ("status", "fingerprint", "parts", "records", "skipped", "quarantined")
    return found if isinstance(found, dict) and all(k in found for k in wanted) else None


def _refuse_absent(plans: list[Plan], data_root: Path) -> None:
    absent = [p.adapter.info for p in plans if not p.shards and not p.adapter.info.blocked]
    if absent:
        raise SourceError(
            "; ".join(
                f"{i.dataset}: nothing at {data_root / i.path}. Get it from {i.how_to_get}"
                for i in absent
            )
        )


def _missing(plan: Plan, config: PrepareConfig) -> Manifest:
    info = plan.adapter.info
    reason = f"nothing at {info.path}; get it from {info.how_to_get}"
    manifest = empty_manifest(plan.adapter, config, "missing", reason)
    if plan.before is None or plan.before["status"] != "completed":
        write_json(join(plan.target, "manifest.json"), manifest)
    log.info("%s: missing (%s)", plan.dataset, reason)
    return manifest | {"seconds": 0.0}


def write_blocked(plan: Plan, config: PrepareConfig) -> Manifest:
    """The whole record of a blocked dataset: empty windows, a card, a manifest with the reason."""
    reason = plan.adapter.info.blocked
    manifest = empty_manifest(plan.adapter, config, "blocked", reason)
    keys = ("status", "reason", "adapter_version", "code_version", "salt_fingerprint")
    if plan.before and all(plan.before.get(key) == manifest[key] for key in keys):
        return plan.before | {"seconds": 0.0, "unchanged": True}
    part = write_empty_part(plan.target)
    manifest |= {"parts": [{"name": part.name, "rows": part.rows, "bytes": part.bytes}]}
    write_bytes(join(plan.target, "README.md"), card(plan.adapter, manifest, None).encode())
    write_json(join(plan.target, "manifest.json"), manifest)
    log.info("%s: blocked (%s)", plan.dataset, reason)
    return manifest | {"seconds": 0.0}


def _prepare_one(plan: Plan, config: PrepareConfig, progress: Progress) -> Manifest:
    from ray.exceptions import RayError  # noqa: PLC0415 - as below

    from jepa_ray.prepare.datasource import Work, run  # noqa: PLC0415 - needs a Ray session

    began = time.monotonic()
    empty = empty_manifest(plan.adapter, config, "completed")
    key = plan.fingerprint[:8]
    reports: list[BlockReport] = []
    records = 0
    reason: str | None = None
    try:
        for report in run(Work(plan.adapter, config, _absolute(plan.target), key), plan.shards):
            reports.append(report)
            records += report.records.total()
            progress(plan.dataset, records)
    except RayError as error:
        reason = f"a task failed after {records} records: {_cause(error)}; run again to retry"
    reports.sort(key=lambda report: report.place)
    manifest, statistics = filled_manifest(empty, reports, plan.files, plan.fingerprint)
    reason = reason or _too_bad(manifest, config)
    if reason:
        manifest |= {"status": "failed", "reason": reason}
    _publish(plan, manifest, statistics.document() if statistics else None)
    seconds = time.monotonic() - began
    log.info(
        "%s: %s, %d records, %d windows in %.1f s",
        plan.dataset, manifest["status"], manifest["records"], manifest["windows"], seconds,
    )  # fmt: skip
    return manifest | {"seconds": round(seconds, 3)}


def _cause(error: Exception) -> str:
    """What broke a task, without its message: that may quote a record or name a mailbox."""
    cause = getattr(error, "cause", None) or error
    where = f" ({cause.strerror})" if isinstance(cause, OSError) else ""
    return f"{type(cause).__name__}{where}"


def _too_bad(manifest: Manifest, config: PrepareConfig) -> str | None:
    bad = sum(manifest["quarantined"].values())
    share = bad / max(manifest["records"], 1)
    if share <= config.max_bad_fraction:
        return None
    slugs = ", ".join(f"{slug}: {n}" for slug, n in manifest["quarantined"].items())
    return (
        f"{bad} of {manifest['records']} records ({share:.1%}) are bad, more than max_bad_fraction "
        f"= {config.max_bad_fraction} allows ({slugs}); see quarantine/, mend the source or raise "
        "max_bad_fraction"
    )


def _publish(plan: Plan, manifest: Manifest, stats: dict[str, object] | None) -> None:
    """Make the new state visible, then remove what no longer counts.

    A failed preparation never replaces a completed one: its manifest stands in `failed.json`.
    """
    target = plan.target
    if manifest["status"] == "failed" and plan.before and plan.before["status"] == "completed":
        write_json(join(target, "failed.json"), manifest)
        _sweep(target, plan.before, also_keep=manifest["quarantine"])
        return
    if stats:
        write_json(join(target, "stats.json"), stats)
    write_bytes(join(target, "README.md"), card(plan.adapter, manifest, stats).encode())
    write_json(join(target, "manifest.json"), manifest)
    delete(join(target, "failed.json"))
    _sweep(target, manifest, also_keep=[])


def _sweep(target: str, manifest: Manifest, *, also_keep: list[str]) -> None:
    keep = (
        {part["name"] for part in manifest["parts"]} if manifest["status"] == "completed" else set()
    )
    for folder, names in (("windows", keep), ("quarantine", {*manifest["quarantine"], *also_keep})):
        for name in list_names(join(target, folder)):
            if name not in names:
                delete(join(target, folder, name))


def _absolute(target: str) -> str:
    """Ray workers have a working directory of their own."""
    return target if "://" in target else str(Path(target).absolute())
