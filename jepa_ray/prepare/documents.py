"""What prepare writes beside the windows: manifest, dataset card, report of the run. Pure text."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from jepa_ray import __version__
from jepa_ray.adapters import Adapter, SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.account import Account
from jepa_ray.windows import (
    CONTRACT_VERSION,
    Manifest,
    NameHasher,
    count_lines,
    dataset_card,
    public,
    utc_now,
)

__all__ = [
    "Manifest",
    "card",
    "dataset_name",
    "empty_manifest",
    "filled_manifest",
    "public",
    "run_markdown",
    "utc_now",
]


def dataset_name(adapter: type[Adapter], config: PrepareConfig) -> str:
    """What the prepared dataset is called: that of another windowing is one of its own."""
    name = adapter.info.dataset
    return name if config.windowing == "record" else f"{name}_{config.windowing}"


def empty_manifest(
    adapter: type[Adapter], config: PrepareConfig, status: str, reason: str | None = None
) -> Manifest:
    """The manifest of a dataset without a single record."""
    now = utc_now()
    return {
        "contract_version": CONTRACT_VERSION,
        "dataset": dataset_name(adapter, config),
        "status": status,
        "reason": reason,
        "windowing": config.windowing,
        "records": 0,
        "windows": 0,
        "expanded": 0,
        "distinct_windows": 0,
        "skipped": {},
        "quarantined": {},
        "sources": [],
        "parts": [],
        "quarantine": [],
        "fingerprint": None,
        "salt_fingerprint": NameHasher(config.actor_salt).fingerprint,
        "adapter_version": adapter.version,
        "code_version": __version__,
        "started_utc": now,
        "ended_utc": now,
    }


def filled_manifest(
    empty: Manifest, account: Account, files: list[tuple[SourceFile, str]], fingerprint: str
) -> Manifest:
    """The manifest of a prepared dataset.

    Args:
        empty: From `empty_manifest`, made when the work began.
        account: Of all records.
        files: Source files with their fingerprints.
        fingerprint: Of the dataset.
    """
    assert not account.lost, f"{account.lost} records of {empty['dataset']} are not accounted for"
    days = (
        {}
        if account.activities is None
        else {"activities": account.activities, "shortened": account.shortened}
    )
    return empty | {
        "records": account.records.total(),
        "windows": account.windows,
        "expanded": account.expanded,
        **days,
        "distinct_windows": len(account.statistics.contents) if account.statistics else 0,
        "skipped": _sorted(account.skipped),
        "quarantined": _sorted(account.quarantined),
        "sources": [
            {
                "path": f.label,
                "bytes": f.bytes,
                "fingerprint": mark,
                "records": account.records[f.label],
            }
            for f, mark in files
        ],
        "parts": [asdict(part) for part in account.parts],
        "quarantine": [part.name for part in account.quarantine],
        "fingerprint": fingerprint,
        "ended_utc": utc_now(),
    }


def card(adapter: type[Adapter], manifest: Manifest, stats: dict[str, Any] | None) -> str:
    """README.md of a prepared dataset."""
    info = adapter.info
    made_by = (
        f"prepared by jepa-ray {manifest['code_version']}; adapter version "
        f"{manifest['adapter_version']}"
    )
    about = {"source": info.how_to_get, "licence of the raw data": info.licence}
    return dataset_card(manifest, stats, made_by=made_by, about=about)


def run_markdown(run_id: str, manifests: dict[str, Manifest]) -> str:
    """The report of a run as a table."""
    lines = [
        f"# prepare {run_id}",
        "",
        (
            "| dataset | status | records | windows | distinct | skipped | quarantined | seconds "
            "| reason |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, m in manifests.items():
        lines.append(
            f"| {name} | {m['status']}{' (unchanged)' if m.get('unchanged') else ''} "
            f"| {m['records']:,} | {m['windows']:,} | {m['distinct_windows']:,} "
            f"| {sum(m['skipped'].values()):,} | {sum(m['quarantined'].values()):,} "
            f"| {m['seconds']:.1f} | {_cell(m['reason'] or '')} |"
        )
    for name, m in manifests.items():
        for title in ("skipped", "quarantined"):
            lines += count_lines(f"{name}: {title}", m[title])
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Text that cannot leave its cell."""
    return " ".join(text.replace("|", "\\|").split())


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
