"""The stage: which datasets need work, do it, make each visible by its manifest.

A dataset's folder holds `windows/`, `quarantine/`, `shards/`, `stats.json`, `README.md` and,
written last, `manifest.json`, which lists the files that count. Until then readers see the state
before. A finished shard has its marker in `shards/` (see finished.py): a run that was killed goes
on from there, and what else it left behind is removed by the next one that ends.
"""

import logging
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jepa_ray.adapters import select
from jepa_ray.cluster import session
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import write_empty_part
from jepa_ray.prepare.documents import (
    Manifest,
    card,
    empty_manifest,
    filled_manifest,
    public,
    run_markdown,
)
from jepa_ray.prepare.finished import finished, sweep_markers
from jepa_ray.prepare.plan import Plan, make_plan, refuse_absent, refuse_imported, source_root
from jepa_ray.storage import (
    delete,
    exclusive,
    exists,
    join,
    require_writable,
    write_bytes,
    write_json,
)
from jepa_ray.windows import Statistics, sweep, too_bad

if TYPE_CHECKING:
    from jepa_ray.prepare.work import Progress

log = logging.getLogger(__name__)


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
    data_root: str | Path,
    processed_dir: str,
    reports_dir: str,
    run_id: str,
    config: PrepareConfig,
    progress: "Progress" = lambda _dataset, _records: None,
) -> PrepareResult:
    """Turn raw sources into prepared datasets.

    Args:
        names: Dataset names, aliases, or `all`.
        data_root: Path or URL of the folder where the raw sources lie.
        processed_dir: Path or URL; gets a folder a dataset.
        reports_dir: Path or URL; gets `<run_id>.json` and `.md`.
        run_id: Name of this run.
        config: Settings; the environment variable JEPA_RAY_ACTOR_SALT overrides the salt.
        progress: Called as blocks finish.

    Returns:
        The manifests. A dataset that failed is there with its reason and counts; the others are
        finished all the same.

    Raises:
        SourceError: No name, an unknown one, one without a source, or no data root.
        UsageError: A folder cannot be written to, or another process is at work in it.
    """
    if not names:
        raise SourceError("no dataset: give `all`, or names separated by commas")
    root = source_root(data_root)
    salt = os.environ.get("JEPA_RAY_ACTOR_SALT") or config.actor_salt
    config = config.model_copy(update={"actor_salt": salt})
    plans = [make_plan(a, root, processed_dir, config) for a in select(names)]
    named = {adapter.info.dataset for adapter in select(name for name in names if name != "all")}
    refuse_absent([plan for plan in plans if plan.adapter.info.dataset in named], root)
    refuse_imported(plans)
    if "all" in names and not any(plan.shards for plan in plans):
        log.warning("no source at all under %s: is it the right --data-root?", root)
    for folder in (processed_dir, reports_dir):
        require_writable(folder)
    manifests = _run(plans, config, progress)
    result = PrepareResult(run_id, manifests)
    report = join(reports_dir, f"{run_id}.json")
    idle = all(m.get("unchanged") for m in manifests.values())
    if not (idle and exists(report)):  # a run that did nothing keeps the report of one that did
        write_json(report, result.document())
        write_bytes(join(reports_dir, f"{run_id}.md"), run_markdown(run_id, manifests).encode())
    return result


def _run(plans: list[Plan], config: PrepareConfig, progress: "Progress") -> dict[str, Manifest]:
    """Do what needs doing; the manifests in the order of the plans. Ray starts if it must."""
    manifests: dict[str, Manifest] = {}
    with ExitStack() as stack:
        start_ray = cache(lambda: stack.enter_context(session(num_cpus=config.num_cpus)))
        for plan in plans:
            if plan.adapter.info.blocked:
                manifests[plan.dataset] = _blocked(plan, config)
            elif not plan.shards:
                manifests[plan.dataset] = _missing(plan, config)
            elif plan.before and plan.unchanged(config):
                log.info("%s: unchanged, nothing to do", plan.dataset)
                manifests[plan.dataset] = plan.before | {"seconds": 0.0, "unchanged": True}
            else:
                with exclusive(plan.target, "prepare into"):
                    manifests[plan.dataset] = _prepare_one(plan, config, start_ray, progress)
    return manifests


def _missing(plan: Plan, config: PrepareConfig) -> Manifest:
    info = plan.adapter.info
    reason = f"nothing at {info.path}; how to get it: {info.how_to_get}"
    manifest = empty_manifest(plan.adapter, config, "missing", reason)
    if not plan.completed_before:
        write_json(join(plan.target, "manifest.json"), manifest)
    log.info("%s: missing (%s)", plan.dataset, reason)
    return manifest | {"seconds": 0.0}


def _blocked(plan: Plan, config: PrepareConfig) -> Manifest:
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


def _prepare_one(
    plan: Plan, config: PrepareConfig, start_ray: Callable[[], None], progress: "Progress"
) -> Manifest:
    began = time.monotonic()
    empty = empty_manifest(plan.adapter, config, "completed")
    work = _actor_days if config.windowing == "actor_day" else _shards
    account, done, reason = work(plan, config, start_ray, progress)
    manifest = filled_manifest(empty, account, plan.files, plan.fingerprint)
    reason = reason or too_bad(manifest, plan.target, config.max_bad_fraction)
    if reason:
        manifest |= {"status": "failed", "reason": reason, "parts": []}
    _publish(plan, manifest, account.statistics, done)
    seconds = time.monotonic() - began
    log.info(
        "%s: %s, %d records, %d windows in %.1f s",
        plan.dataset, manifest["status"], manifest["records"], manifest["windows"], seconds,
    )  # fmt: skip
    return manifest | {"seconds": round(seconds, 3)}


Outcome = tuple[Account, list[Account], str | None]
"""Of all records; what is finished, and so kept even if the dataset fails; why it is not whole."""


def _shards(
    plan: Plan, config: PrepareConfig, start_ray: Callable[[], None], progress: "Progress"
) -> Outcome:
    done = finished(plan.target, plan.keys)
    if done:
        log.info(
            "%s: %d of %d shards were finished before", plan.dataset, len(done), len(plan.keys)
        )
    reason: str | None = None
    if len(done) < len(plan.keys):
        start_ray()
        from jepa_ray.prepare.work import work_off  # noqa: PLC0415 - imports ray

        reason = work_off(plan, config, done, progress)
    account = Account.merge([done[key] for key in plan.keys if key in done])
    return account, list(done.values()), reason


def _actor_days(
    plan: Plan, config: PrepareConfig, start_ray: Callable[[], None], progress: "Progress"
) -> Outcome:
    start_ray()
    from jepa_ray.prepare.actor_day import work_off_days  # noqa: PLC0415 - imports ray

    account, reason = work_off_days(plan, config, progress)
    return account, [account], reason


def _publish(
    plan: Plan, manifest: Manifest, statistics: Statistics | None, done: list[Account]
) -> None:
    """Make the new state visible, then remove what no longer counts.

    A failed preparation never replaces a completed one: its manifest stands in `failed.json`. Its
    finished shards stay for the next one.
    """
    target = plan.target
    kept = {
        "windows": {part.name for account in done for part in account.parts},
        "quarantine": {part.name for account in done for part in account.quarantine},
    }
    if manifest["status"] == "failed" and plan.before and plan.completed_before:
        write_json(join(target, "failed.json"), manifest)
        kept["windows"] |= {part["name"] for part in plan.before["parts"]}
        kept["quarantine"] |= set(plan.before["quarantine"])
        sweep(target, **kept)
        return
    stats = statistics.document() if statistics else None
    if stats:
        write_json(join(target, "stats.json"), stats)
    write_bytes(join(target, "README.md"), card(plan.adapter, manifest, stats).encode())
    write_json(join(target, "manifest.json"), manifest)
    delete(join(target, "failed.json"))
    sweep_markers(target, plan.keys)
    sweep(target, **kept)
