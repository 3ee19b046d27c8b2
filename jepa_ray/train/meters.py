"""Gauges of a running training for the Ray dashboard and Prometheus (docs/training.md).

Ray exports a gauge `x` as `ray_x`; it goes with the worker that set it.
"""

from typing import Any

from ray.util.metrics import Gauge

_GAUGES = {
    "loss": "Loss of the last step looked at.",
    "skill": "1 - held-out loss / loss of the best constant per slot.",
    "rankme": "Effective rank of the held-out embeddings.",
    "slot_std": "Per-slot std of the held-out embeddings; 0 is collapse.",
    "step_seconds": "Seconds a step, waiting included.",
    "data_wait_seconds": "Seconds a step that it waits for its batch.",
}


class Meters:
    """Gauges of one training.

    Args:
        run_id: Name of the run's folder.
        dataset: Names of the datasets, joined by commas.
    """

    def __init__(self, run_id: str, dataset: str) -> None:
        tags = {"run_id": run_id, "dataset": dataset}
        self._gauges = {}
        for name, said in _GAUGES.items():
            gauge = Gauge(f"jepa_ray_{name}", description=said, tag_keys=tuple(tags))
            gauge.set_default_tags(tags)
            self._gauges[name] = gauge

    def show(self, row: dict[str, Any]) -> None:
        """Set what a row has."""
        for name, gauge in self._gauges.items():
            if row.get(name) is not None:
                gauge.set(row[name])
