"""README.md of a prepared dataset: the dataset card. Pure text."""

from collections.abc import Mapping
from typing import Any

from jepa_ray.manifest import Manifest
from jepa_ray.windows.contract import CONTRACT_VERSION


def dataset_card(
    manifest: Manifest, stats: dict[str, Any] | None, *, made_by: str, about: Mapping[str, str]
) -> str:
    """The card of one dataset.

    Args:
        manifest: Of the dataset.
        stats: Its stats.json; None when it has no windows.
        made_by: What wrote the windows, to go on after "Schedule windows, ".
        about: Further rows of the table, before the counts.
    """
    lines = [
        f"# {manifest['dataset']}",
        "",
        f"Schedule windows (96 x 16, contract {CONTRACT_VERSION}), {made_by}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in about.items()),
        f"| status | {manifest['status']} |",
        f"| records | {manifest['records']:,} |",
        *_counted(manifest),
        f"| distinct windows | {manifest['distinct_windows']:,} |",
    ]
    if stats:
        lines += [
            f"| entropy | {stats['entropy_bits']:.2f} bits |",
            f"| first and last window | {stats['earliest']} .. {stats['latest']} |",
        ]
    for title in ("skipped", "quarantined"):
        lines += count_lines(title, manifest[title])
    if stats:
        lines += _features(stats["features"])
    return "\n".join([*lines, ""])


def _counted(manifest: Manifest) -> list[str]:
    """How many windows, and where they come from."""
    if "activities" not in manifest:
        again = f"(of these {manifest['expanded']:,} recurrences)"
        return [f"| windows | {manifest['windows']:,} {again} |"]
    return [
        f"| activities | {manifest['activities']:,} |",
        f"| windows | {manifest['windows']:,} (an actor's day each) |",
    ]


def count_lines(title: str, counts: Mapping[str, int]) -> list[str]:
    """Counts by name as a list under a title; [] when there are none."""
    if not counts:
        return []
    return ["", f"{title}:", "", *(f"- {name}: {n:,}" for name, n in counts.items())]


def _features(features: Mapping[str, Mapping[str, float]]) -> list[str]:
    rows = [
        f"| {name} | {f['mean']:.4f} | {f['std']:.4f} | {f['max']:.3f} | {f['nonzero_share']:.4f} |"
        for name, f in features.items()
    ]
    head = ["", "| feature | mean | std | max | share of slots > 0 |", "|---|---|---|---|---|"]
    return [*head, *rows]
