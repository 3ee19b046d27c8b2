"""JSON records -> prepared datasets, in the layout that `prepare` writes. No Ray.

A dataset becomes visible by its manifest, written last: a killed import leaves what was there
before, and a failed one never replaces a completed one.
"""

import logging
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jepa_ray.config import ImportConfig
from jepa_ray.errors import UsageError
from jepa_ray.exchange.decode import RecordReader
from jepa_ray.exchange.documents import import_card, import_fingerprint, import_manifest
from jepa_ray.exchange.found import SourceRecords, find_records
from jepa_ray.exchange.intake import take_in
from jepa_ray.exchange.places import same_place
from jepa_ray.storage import (
    delete,
    exclusive,
    join,
    require_writable,
    store_faults,
    write_bytes,
    write_json,
)
from jepa_ray.windows import (
    Manifest,
    is_whole,
    public,
    read_manifest,
    sweep,
    too_bad,
    utc_now,
)

log = logging.getLogger(__name__)

Progress = Callable[[str, int], None]
"""Told (dataset, records so far) as an import goes on."""


@dataclass(frozen=True)
class ImportResult:
    """Manifests by dataset, with `seconds` and `unchanged` added; and what failed."""

    processed_dir: str
    manifests: dict[str, Manifest]

    @property
    def failed(self) -> dict[str, str]:
        """Reasons of the datasets that failed."""
        return {n: str(m["reason"]) for n, m in self.manifests.items() if m["status"] == "failed"}

    def document(self) -> dict[str, Any]:
        """`import --json`."""
        return {
            "processed_dir": self.processed_dir,
            "datasets": {name: public(m) for name, m in self.manifests.items()},
        }


@dataclass(frozen=True)
class _Plan:
    """One dataset: what to read, and what stands in its place."""

    dataset: str
    sources: list[SourceRecords]
    fingerprint: str
    target: str
    before: Manifest | None


def import_records(
    folder: str,
    processed_dir: str,
    *,
    names: list[str] | None = None,
    config: ImportConfig,
    overwrite: bool = False,
    progress: Progress = lambda _dataset, _records: None,
) -> ImportResult:
    """Turn JSON records into prepared datasets.

    Args:
        folder: Path or URL; `<folder>/<dataset>/train.jsonl.gz` and `val.jsonl.gz`, or `.jsonl`.
        processed_dir: Path or URL; gets a folder a dataset.
        names: Datasets; None: all that are there.
        config: Settings; the environment variable JEPA_RAY_ACTOR_SALT overrides the salt.
        overwrite: Also replace windows that did not come from an import.
        progress: Called as records are read.

    Returns:
        The manifests; of a dataset that failed with its reason, and the others are finished.

    Raises:
        SourceError: There are no records, or not those that an export.json tells of.
        UsageError: Windows that `prepare` made stand in the place, or it cannot be written to.
        StageError: A disk or store failed; run it again.
    """
    salt = os.environ.get("JEPA_RAY_ACTOR_SALT") or config.actor_salt
    config = config.model_copy(update={"actor_salt": salt})
    if same_place(folder, processed_dir):
        raise UsageError(f"{folder} holds the records; choose another --processed-dir")
    plans = [
        _plan(name, sources, join(processed_dir, name), salt)
        for name, sources in find_records(folder, names).items()
    ]
    if not overwrite:
        _refuse_to_replace(plans)
    require_writable(processed_dir)
    manifests = {plan.dataset: _import(plan, config, progress) for plan in plans}
    return ImportResult(processed_dir, manifests)


def _import(plan: _Plan, config: ImportConfig, progress: Progress) -> Manifest:
    if plan.before and _unchanged(plan, plan.before, config):
        log.info("%s: unchanged, nothing to do", plan.dataset)
        return plan.before | {"seconds": 0.0, "unchanged": True}
    with exclusive(plan.target, "import into"), store_faults(f"writing {plan.target}"):
        return _import_one(plan, config, progress)


def _plan(name: str, sources: list[SourceRecords], target: str, salt: str) -> _Plan:
    try:
        before = read_manifest(target)
    except (FileNotFoundError, NotADirectoryError):
        before = None
    except ValueError as error:
        log.warning("%s/manifest.json %s: importing anew", target, error)
        before = None
    return _Plan(name, sources, import_fingerprint(name, sources, salt), target, before)


def _refuse_to_replace(plans: list[_Plan]) -> None:
    prepared = [
        plan.target
        for plan in plans
        if plan.before and plan.before["status"] == "completed" and not plan.before.get("imported")
    ]
    if prepared:
        raise UsageError(
            f"{', '.join(prepared)}: windows that `jepa-ray prepare` made are there; choose "
            "another --processed-dir, or give --overwrite to replace them"
        )


def _unchanged(plan: _Plan, before: Manifest, config: ImportConfig) -> bool:
    """Whether what is there is complete, of just these records, and good enough."""
    return (
        before["status"] == "completed"
        and before["fingerprint"] == plan.fingerprint
        and is_whole(plan.target, before)
        and too_bad(before, plan.target, config.max_bad_fraction) is None
    )


def _import_one(plan: _Plan, config: ImportConfig, progress: Progress) -> Manifest:
    began, started_utc = time.monotonic(), utc_now()
    taken = take_in(
        plan.sources,
        RecordReader(plan.dataset, config.actor_salt),
        target=plan.target,
        key=f"{plan.fingerprint[:8]}{secrets.token_hex(2)}",
        progress=lambda records: progress(plan.dataset, records),
    )
    manifest = import_manifest(
        plan.dataset,
        plan.sources,
        taken,
        fingerprint=plan.fingerprint,
        salt=config.actor_salt,
        started_utc=started_utc,
    )
    reason = too_bad(manifest, plan.target, config.max_bad_fraction)
    if reason:
        manifest |= {"status": "failed", "reason": reason, "parts": []}
    _publish(plan, manifest, taken.statistics.document() if taken.statistics else None)
    seconds = time.monotonic() - began
    log.info(
        "%s: %s, %d records, %d windows in %.1f s",
        plan.dataset, manifest["status"], manifest["records"], manifest["windows"], seconds,
    )  # fmt: skip
    return manifest | {"seconds": round(seconds, 3)}


def _publish(plan: _Plan, manifest: Manifest, stats: dict[str, Any] | None) -> None:
    """Make the new state visible, then remove what no longer counts."""
    target, before = plan.target, plan.before
    if manifest["status"] == "failed" and before and before["status"] == "completed":
        write_json(join(target, "failed.json"), manifest)
        kept = {*before["quarantine"], *manifest["quarantine"]}
        sweep(target, windows=_names(before), quarantine=kept)
        return
    if stats:
        write_json(join(target, "stats.json"), stats)
    else:
        delete(join(target, "stats.json"))
    write_bytes(join(target, "README.md"), import_card(manifest, stats).encode())
    write_json(join(target, "manifest.json"), manifest)
    delete(join(target, "failed.json"))
    sweep(target, windows=_names(manifest), quarantine=manifest["quarantine"])


def _names(manifest: Manifest) -> list[str]:
    return [part["name"] for part in manifest["parts"]]
