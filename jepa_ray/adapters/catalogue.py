"""What `jepa-ray sources` shows: every dataset, and whether its raw files are there."""

from pathlib import Path
from typing import Any

from jepa_ray.adapters.registry import adapters
from jepa_ray.config import PrepareConfig


def catalogue(data_root: Path | None) -> list[dict[str, Any]]:
    """One entry a dataset.

    Args:
        data_root: Where to look for raw files; None: do not look.

    Returns:
        dataset, group, status (blocked, available, missing, or unknown without a data root),
        trainable, reason (why it is blocked, else None), extra (not part of `all`), path, bytes
        (of the raw files, None unless available), licence, how_to_get, citation.
    """
    return [_entry(name, data_root) for name in adapters()]


def _entry(name: str, data_root: Path | None) -> dict[str, Any]:
    adapter = adapters()[name]
    info = adapter.info
    shards = adapter(PrepareConfig()).shards(data_root) if data_root else []
    found = sum(file.bytes for shard in shards for file in shard.files)
    if info.blocked:
        status = "blocked"
    else:
        status = "unknown" if data_root is None else "available" if shards else "missing"
    return {
        "dataset": name,
        "group": info.group,
        "status": status,
        "trainable": info.trainable,
        "reason": info.blocked,
        "extra": info.extra,
        "path": info.path,
        "bytes": found if shards else None,
        "licence": info.licence,
        "how_to_get": info.how_to_get,
        "citation": info.citation,
    }
