"""The folder of a prepared dataset: whether it is whole, good enough, and what may be removed."""

from collections.abc import Iterable, Sequence
from typing import Any

from jepa_ray.storage import delete, join, list_names, list_sizes, read_json, write_json


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
        and (not manifest["windows"] or _stats_of(target) in (manifest["fingerprint"], ""))
    )


def write_stats(target: str, stats: dict[str, Any] | None, fingerprint: str) -> None:
    """Write stats.json, with the fingerprint of the manifest that it belongs to; or remove it."""
    place = join(target, "stats.json")
    if stats is None:
        delete(place)
    else:
        write_json(place, stats | {"fingerprint": fingerprint})


def _stats_of(target: str) -> str | None:
    """The fingerprint in stats.json; "" where it has none, None where there are no statistics."""
    try:
        return str(read_json(join(target, "stats.json")).get("fingerprint", ""))
    except (FileNotFoundError, ValueError, AttributeError):
        return None


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


def sweep(
    target: str,
    *,
    windows: Iterable[str],
    quarantine: Iterable[str],
    spared: Sequence[str] = (),
) -> None:
    """Remove all files of windows and of the quarantine but those named.

    Args:
        target: Folder of the dataset.
        windows: Names to keep.
        quarantine: Names to keep.
        spared: A file with one of these in its name is kept too.
    """
    for folder, names in (("windows", set(windows)), ("quarantine", set(quarantine))):
        for name in list_names(join(target, folder)):
            if name not in names and not any(text in name for text in spared):
                delete(join(target, folder, name))
