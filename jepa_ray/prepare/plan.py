"""What there is to read of a dataset, and whether that was already done."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from jepa_ray.adapters import Adapter, Shard, SourceFile, raised
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import JepaRayError, SourceError, StageError, UsageError
from jepa_ray.prepare.documents import Manifest, dataset_name
from jepa_ray.prepare.fingerprint import (
    dataset_fingerprint,
    looked_at,
    shard_key,
)
from jepa_ray.storage import client_failures, join
from jepa_ray.windows import is_whole, read_manifest, too_bad

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """One dataset with what there is to read and what is there already.

    Attributes:
        adapter: Of the dataset.
        dataset: Its name, with that of the windowing unless it is `record`.
        shards: What to read; [] when the source is absent.
        keys: Of the shards, by content.
        states: Of the shards' files, to see whether they change while they are read.
        files: Its files with their fingerprints.
        fingerprint: Of all that decides the windows.
        target: Path or URL of `<processed-dir>/<dataset>`.
        before: The manifest in place, if there is one that can be read.
    """

    adapter: type[Adapter]
    dataset: str
    shards: list[Shard]
    keys: list[str]
    states: list[list[str]]
    files: list[tuple[SourceFile, str]]
    fingerprint: str
    target: str
    before: Manifest | None

    @property
    def completed_before(self) -> bool:
        """Whether readers see windows of an earlier preparation."""
        return self.before is not None and self.before["status"] == "completed"

    def unchanged(self, config: PrepareConfig) -> bool:
        """Whether what is there is complete, of just this input, and good enough."""
        m = self.before
        if m is None or not self.completed_before or m["fingerprint"] != self.fingerprint:
            return False
        return is_whole(self.target, m) and too_bad(m, self.target, config.max_bad_fraction) is None


def make_plan(
    adapter: type[Adapter], data_root: Path, processed_dir: str, config: PrepareConfig
) -> Plan:
    """Look at a dataset's source and at what is prepared of it."""
    try:
        with client_failures(f"looking for {adapter.info.dataset} in {data_root}"):
            shards = adapter(config).shards(data_root)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{adapter.info.dataset}: its folder cannot be read: {reason}") from None
    except JepaRayError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
        raise StageError(
            f"the adapter of {adapter.info.dataset} {raised(adapter, error)} when it looked for "
            "its files: mend it, or leave the dataset out"
        ) from None
    found = iter(looked_at([file for shard in shards for file in shard.files]))
    looks = [[(file, *next(found)) for file in shard.files] for shard in shards]
    states = [[state for _, state, _ in look] for look in looks]
    marks = [[(file, mark) for file, _, mark in look] for look in looks]
    keys = [shard_key(adapter, config, pairs) for pairs in marks]
    files = [pair for pairs in marks for pair in pairs]
    dataset = dataset_name(adapter, config)
    target = join(processed_dir, dataset)
    fingerprint = dataset_fingerprint(adapter, config, files)
    before = _before(target)
    return Plan(adapter, dataset, shards, keys, states, files, fingerprint, target, before)


def again(plan: Plan) -> Plan:
    """The plan as of now: another process may have been at work on the dataset since."""
    return replace(plan, before=_before(plan.target))


def _before(target: str) -> Manifest | None:
    try:
        return read_manifest(target)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        log.warning("%s/manifest.json %s: preparing anew", target, error)
        return None


def refuse_absent(plans: list[Plan], data_root: Path) -> None:
    """Datasets that were asked for by name must be there.

    Raises:
        SourceError: Some are not; the message says where they belong and how to get them.
    """
    absent = [p.adapter.info for p in plans if not p.shards and not p.adapter.info.blocked]
    if absent:
        lines = [
            f"{i.dataset}: nothing at {data_root / i.path}; how to get it: {i.how_to_get}"
            for i in absent
        ]
        raise SourceError(". ".join(lines))


def refuse_imported(plans: list[Plan]) -> None:
    """What `jepa-ray import` made is not replaced without a word.

    Raises:
        UsageError: Such windows stand where a dataset that has a source would go.
    """
    imported = [p.target for p in plans if p.shards and p.before and p.before.get("imported")]
    if imported:
        raise UsageError(
            f"{', '.join(imported)}: windows that `jepa-ray import` made are there; choose another "
            "--processed-dir, or delete that folder"
        )
