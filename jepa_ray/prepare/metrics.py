"""Counters of a preparation for the Ray dashboard and Prometheus (see docs/prepare.md).

Ray exports a counter `x` as `ray_x_total`; its rate is what a second brings.
"""

from ray.util.metrics import Counter

from jepa_ray.prepare.block import BlockReport


class Meters:
    """Counts what comes back from the tasks of one dataset."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._records = Counter(
            "jepa_ray_records",
            description="Records by what became of them: window, skipped, quarantined.",
            tag_keys=("dataset", "outcome"),
        )
        self._windows = Counter(
            "jepa_ray_windows", description="Windows written.", tag_keys=("dataset",)
        )
        self._bytes = Counter(
            "jepa_ray_raw_bytes", description="Raw bytes parsed, expanded.", tag_keys=("dataset",)
        )

    def add(self, report: BlockReport) -> None:
        """Count one block."""
        account = report.account
        skipped, quarantined = account.skipped.total(), account.quarantined.total()
        outcomes = {
            "window": account.records.total() - skipped - quarantined,
            "skipped": skipped,
            "quarantined": quarantined,
        }
        tags = {"dataset": self._dataset}
        for outcome, count in outcomes.items():
            _add(self._records, count, tags | {"outcome": outcome})
        _add(self._windows, account.windows, tags)
        _add(self._bytes, report.raw_bytes, tags)


def _add(counter: Counter, count: int, tags: dict[str, str]) -> None:
    if count:  # Ray refuses to count 0
        counter.inc(count, tags=tags)
