"""The folder of a prepared dataset: whether it is whole, good enough, and what may be removed."""

from collections.abc import Iterable
from typing import Any

from jepa_ray.storage import delete, exists, join, list_names, list_sizes


def is_whole(target: str, manifest: dict[str, Any]) -> bool:
    """Whether all that a manifest lists is there.

    Args:
        target: Path or URL of the folder.
        manifest: The one in it.
    """
    parts = list_sizes(join(target, "windows"))
    return (
        all(parts.get(part["name"]) == part["bytes"] for part in manifest["parts"])
        and set(manifest["quarantine"]) <= set(list_sizes(join(target, "quarantine")))
        and (not manifest["windows"] or exists(join(target, "stats.json")))
    )


def too_bad(manifest: dict[str, Any], target: str, max_bad_fraction: float) -> str | None:
    """Why a dataset has more bad records than is allowed; None when it has not."""
    bad = sum(manifest["quarantined"].values())
    share = bad / max(manifest["records"], 1)
    if share <= max_bad_fraction:
        return None
    slugs = ", ".join(f"{slug}: {n}" for slug, n in manifest["quarantined"].items())
    return (
        f"{bad} of {manifest['records']} records ({share:.1%}) are bad, more than max_bad_fraction "
        f"= {max_bad_fraction} allows ({slugs}); see {join(target, 'quarantine')}, mend the "
        "source or raise max_bad_fraction"
    )


def sweep(target: str, *, windows: Iterable[str], quarantine: Iterable[str]) -> None:
    """Remove all files of windows and of the quarantine but those named."""
    for folder, names in (("windows", set(windows)), ("quarantine", set(quarantine))):
        for name in list_names(join(target, folder)):
            if name not in names:
                delete(join(target, folder, name))
