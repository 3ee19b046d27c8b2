"""What there is to read of a dataset, and whether that was already done."""

import logging
from dataclasses import dataclass
from pathlib import Path

from jepa_ray.adapters import Adapter, Shard, SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.prepare.documents import Manifest
from jepa_ray.prepare.fingerprint import dataset_fingerprint, file_fingerprint, shard_key
from jepa_ray.storage import exists, join, list_sizes, reachable, source_path
from jepa_ray.windows import read_manifest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """One dataset with what there is to read and what is there already.

    Attributes:
        adapter: Of the dataset.
        shards: What to read; [] when the source is absent.
        keys: Of the shards, by content.
        files: Its files with their fingerprints.
        fingerprint: Of all that decides the windows.
        target: Path or URL of `<processed-dir>/<dataset>`.
        before: The manifest in place, if there is one that can be read.
    """

    adapter: type[Adapter]
    shards: list[Shard]
    keys: list[str]
    files: list[tuple[SourceFile, str]]
    fingerprint: str
    target: str
    before: Manifest | None

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.adapter.info.dataset

    @property
    def completed_before(self) -> bool:
        """Whether readers see windows of an earlier preparation."""
        return self.before is not None and self.before["status"] == "completed"

    def unchanged(self, config: PrepareConfig) -> bool:
        """Whether what is there is complete, of just this input, and good enough."""
        m = self.before
        if m is None or not self.completed_before or m["fingerprint"] != self.fingerprint:
            return False
        parts = list_sizes(join(self.target, "windows"))
        return (
            all(parts.get(part["name"]) == part["bytes"] for part in m["parts"])
            and set(m["quarantine"]) <= set(list_sizes(join(self.target, "quarantine")))
            and (not m["windows"] or exists(join(self.target, "stats.json")))
            and too_bad(m, self.target, config) is None
        )


def source_root(data_root: str | Path) -> Path:
    """The folder of the raw sources.

    Raises:
        SourceError: There is none.
        UsageError: Its object store cannot be reached.
    """
    root = source_path(data_root)
    if not _is_folder(root):
        raise SourceError(
            f"data root {data_root} is not a folder; --data-root names the raw sources"
        )
    return root


@reachable
def _is_folder(root: Path) -> bool:
    return root.is_dir()


def make_plan(
    adapter: type[Adapter], data_root: Path, processed_dir: str, config: PrepareConfig
) -> Plan:
    """Look at a dataset's source and at what is prepared of it."""
    try:
        shards = adapter(config).shards(data_root)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{adapter.info.dataset}: its folder cannot be read: {reason}") from None
    marks = [[(file, file_fingerprint(file)) for file in shard.files] for shard in shards]
    keys = [shard_key(adapter, config, found) for found in marks]
    files = [pair for found in marks for pair in found]
    target = join(processed_dir, adapter.info.dataset)
    try:
        before = read_manifest(target)
    except (FileNotFoundError, NotADirectoryError):
        before = None
    except ValueError as error:
        log.warning("%s/manifest.json %s: preparing anew", target, error)
        before = None
    fingerprint = dataset_fingerprint(adapter, config, files)
    return Plan(adapter, shards, keys, files, fingerprint, target, before)


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


def too_bad(manifest: Manifest, target: str, config: PrepareConfig) -> str | None:
    """Why a dataset has more bad records than is allowed; None when it has not."""
    bad = sum(manifest["quarantined"].values())
    share = bad / max(manifest["records"], 1)
    if share <= config.max_bad_fraction:
        return None
    slugs = ", ".join(f"{slug}: {n}" for slug, n in manifest["quarantined"].items())
    return (
        f"{bad} of {manifest['records']} records ({share:.1%}) are bad, more than max_bad_fraction "
        f"= {config.max_bad_fraction} allows ({slugs}); see {join(target, 'quarantine')}, mend the "
        "source or raise max_bad_fraction"
    )
