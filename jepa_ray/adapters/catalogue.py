"""What `jepa-ray sources` shows: every dataset, and whether its raw files are there."""

from pathlib import Path
from typing import Any

from jepa_ray.adapters.base import raised
from jepa_ray.adapters.registry import adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.storage import failure, is_fault


def catalogue(data_root: Path | None) -> list[dict[str, Any]]:
    """One entry a dataset.

    Args:
        data_root: Where to look for raw files; None: do not look.

    Returns:
        dataset, group, status (blocked, available, missing, broken where the adapter raises, or
        unknown without a data root), trainable, reason (why it is blocked or broken, else None),
        extra (not part of `all`), path, bytes (of the raw files, None unless available), licence,
        how_to_get, citation.
    """
    return [_entry(name, data_root) for name in adapters()]


def _entry(name: str, data_root: Path | None) -> dict[str, Any]:
    adapter = adapters()[name]
    info = adapter.info
    status, reason, found = "blocked" if info.blocked else "unknown", info.blocked, None
    if data_root and not info.blocked:
        try:
            shards = adapter(PrepareConfig()).shards(data_root)
            status = "available" if shards else "missing"
            found = sum(file.bytes for s in shards for file in s.files) if shards else None
        except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
            if is_fault(error):
                raise failure(f"looking for {name} in {data_root}", error) from None
            status, reason = "broken", raised(adapter, error)
    return {
        "dataset": name,
        "group": info.group,
        "status": status,
        "trainable": info.trainable,
        "reason": reason,
        "extra": info.extra,
        "path": info.path,
        "bytes": found,
        "licence": info.licence,
        "how_to_get": info.how_to_get,
        "citation": info.citation,
    }
