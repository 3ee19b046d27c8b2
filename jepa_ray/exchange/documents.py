"""What an import writes beside the windows: manifest and dataset card."""

import hashlib
import json
from collections import Counter
from typing import Any

from jepa_ray import __version__
from jepa_ray.adapters import adapters
from jepa_ray.exchange.found import SourceRecords
from jepa_ray.exchange.intake import Taken
from jepa_ray.windows import (
    ACTOR_DAY,
    CONTRACT_VERSION,
    Manifest,
    NameHasher,
    dataset_card,
    utc_now,
)

IMPORT_VERSION = 2
"""Raised when the windows of the same records change."""


def import_fingerprint(dataset: str, sources: list[SourceRecords], salt: str) -> str:
    """Hex fingerprint of all that decides what an import gives."""
    document = {
        "contract_version": CONTRACT_VERSION,
        "import_version": IMPORT_VERSION,
        "dataset": dataset,
        "salt": NameHasher(salt).fingerprint,
        "sources": [[s.label, s.bytes, s.fingerprint] for s in sources],
    }
    text = json.dumps(document, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def import_manifest(
    dataset: str,
    sources: list[SourceRecords],
    taken: Taken,
    *,
    fingerprint: str,
    salt: str,
    started_utc: str,
) -> Manifest:
    """The manifest of an imported dataset: the keys of a prepared one, and two of its own."""
    manifest: Manifest = {
        "contract_version": CONTRACT_VERSION,
        "dataset": dataset,
        "status": "completed",
        "reason": None,
        "windowing": ACTOR_DAY if dataset.endswith(f"_{ACTOR_DAY}") else "record",
        "records": taken.records.total(),
        "windows": sum(part.rows for part in taken.parts),
        "expanded": 0,
        "distinct_windows": len(taken.statistics.contents) if taken.statistics else 0,
        "skipped": _sorted(taken.skipped),
        "quarantined": _sorted(taken.quarantined),
        "sources": [_source(s, taken.records[s.label]) for s in sources],
        "parts": [{"name": p.name, "rows": p.rows, "bytes": p.bytes} for p in taken.parts],
        "quarantine": taken.quarantine,
        "fingerprint": fingerprint,
        "salt_fingerprint": NameHasher(salt).fingerprint,
        "adapter_version": None,
        "imported": True,
        "metadata_dropped": _sorted(taken.dropped),
        "code_version": __version__,
        "started_utc": started_utc,
        "ended_utc": utc_now(),
    }
    bad = sum(manifest["skipped"].values()) + sum(manifest["quarantined"].values())
    assert manifest["records"] == manifest["windows"] + bad, "a record is not accounted for"
    return manifest


def _source(source: SourceRecords, records: int) -> dict[str, Any]:
    return {
        "path": source.label,
        "bytes": source.bytes,
        "fingerprint": source.fingerprint,
        "records": records,
    }


def import_card(manifest: Manifest, stats: dict[str, Any] | None) -> str:
    """README.md of an imported dataset."""
    adapter = adapters().get(manifest["dataset"])
    licence = adapter.info.licence if adapter else "as whoever made the records states"
    return dataset_card(
        manifest,
        stats,
        made_by=f"imported from JSON records by jepa-ray {manifest['code_version']}",
        about={
            "source": ", ".join(s["path"] for s in manifest["sources"]),
            "licence of the raw data": licence,
        },
    )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
