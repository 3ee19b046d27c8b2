"""One dataset: whether it needs work, the work, and what makes it visible.

A dataset's folder holds `windows/`, `quarantine/`, `shards/`, `stats.json`, `README.md` and,
written last, `manifest.json`, which lists the files that count. Until then readers see the state
before. A finished shard has its marker in `shards/` (see finished.py): a run that was killed goes
on from there, and what else it left behind is removed by the next one that ends.
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import write_empty_part
from jepa_ray.prepare.documents import (
    Manifest,
    card,
    empty_manifest,
    filled_manifest,
)
from jepa_ray.prepare.finished import finished, sweep_markers
from jepa_ray.prepare.plan import (
    Plan,
    again,
    refuse_imported,
)
from jepa_ray.storage import (
    delete,
    exclusive,
    join,
    list_sizes,
    local_path,
    write_bytes,
    write_json,
)
from jepa_ray.windows import Statistics, sweep, too_bad, write_stats

if TYPE_CHECKING:
    from jepa_ray.prepare.work import Progress

log = logging.getLogger(__name__)


def prepare_dataset(
    plan: Plan, config: PrepareConfig, start_ray: Callable[[], None], progress: "Progress"
) -> Manifest:
    """Bring a dataset up to date.

    Args:
        plan: Of the dataset; what is in place is read again once the lock is held.
        config: Settings.
        start_ray: Starts Ray, if it does not run yet.
        progress: Called as blocks finish.

    Returns:
        Its manifest, with `seconds`, and with `unchanged` if there was nothing to do.
    """
    settled = _settled(plan, config)
    if settled is not None:
        return settled
    with exclusive(plan.target, "prepare into"):
        plan = again(plan)
        refuse_imported([plan])
        settled = _settled(plan, config)
        if settled is not None:
            return settled
        if plan.shards:
            return _prepare_one(plan, config, start_ray, progress)
        return _blocked(plan, config) if plan.adapter.info.blocked else _missing(plan, config)


def _settled(plan: Plan, config: PrepareConfig) -> Manifest | None:
    """The manifest in place, if there is nothing to do."""
    before = plan.before
    if before is None:
        return None
    if plan.shards:
        if not plan.unchanged(config):
            return None
        log.info("%s: unchanged, nothing to do", plan.dataset)
    elif plan.adapter.info.blocked and _as_blocked(plan, config):
        log.info("%s: %s (%s)", plan.dataset, before["status"], plan.adapter.info.blocked)
    else:
        return None
    return before | {"seconds": 0.0, "unchanged": True}


def _as_blocked(plan: Plan, config: PrepareConfig) -> bool:
    """Whether a blocked dataset's record is in place, or somebody's own windows of it are."""
    wanted = empty_manifest(plan.adapter, config, "blocked", plan.adapter.info.blocked)
    keys = ("status", "reason", "adapter_version", "code_version", "salt_fingerprint")
    before = plan.before or {}
    return plan.completed_before or all(before.get(key) == wanted[key] for key in keys)


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
    bad = too_bad(manifest, plan.target, config.max_bad_fraction)
    reason = reason or _lost(plan, account) or bad
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


def _lost(plan: Plan, account: Account) -> str | None:
    """Why the files of an account cannot be published; None when they are all there."""
    there = list_sizes(join(plan.target, "windows"))
    lost = [part.name for part in account.parts if there.get(part.name) != part.bytes]
    if not lost:
        return None
    return f"{lost[0]} was removed while this ran: is another run at work? Run again to mend it"


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
        _sweep(plan, kept)
        return
    stats = statistics.document() if statistics else None
    write_stats(target, stats, plan.fingerprint)
    write_bytes(join(target, "README.md"), card(plan.adapter, manifest, stats).encode())
    write_json(join(target, "manifest.json"), manifest)
    delete(join(target, "failed.json"))
    sweep_markers(target, plan.keys)
    _sweep(plan, kept)


def _sweep(plan: Plan, kept: dict[str, set[str]]) -> None:
    """Remove what nobody lists. Without a lock, another run of the same input may be at work."""
    spared = () if local_path(plan.target) else plan.keys
    sweep(plan.target, **kept, spared=spared)
