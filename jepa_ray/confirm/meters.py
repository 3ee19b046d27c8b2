"""Gauges of a confirmation for the Ray dashboard and Prometheus (docs/monitoring.md)."""

from collections.abc import Sequence
from typing import Any

from ray.util.metrics import Gauge

from jepa_ray.confirm.plan import Pass

_TAGS = ("run_id",)


class Meters:
    """How many trainings are finished, of how many.

    Args:
        run_id: Name of the run.
        todo: Passes that are not finished.
        planned: Trainings of all passes.
    """

    def __init__(self, run_id: str, todo: Sequence[Pass], *, planned: int) -> None:
        jobs = [job for each in todo for job in each.jobs]
        self._steps = {job.folder: job.config.steps for job in jobs}
        self._left = {job.folder for job in jobs if not job.finished}
        self._planned = planned
        self._gauges = [
            Gauge("jepa_ray_trainings_finished", description="Trainings finished.", tag_keys=_TAGS),
            Gauge("jepa_ray_trainings_planned", description="Trainings in all.", tag_keys=_TAGS),
        ]
        for gauge in self._gauges:
            gauge.set_default_tags({"run_id": run_id})

    def take(self, row: dict[str, Any]) -> None:
        """Look at a row of the trials; one of a last step ends its training."""
        if "step" in row and row["step"] == self._steps.get(row["run"]):
            self._left.discard(row["run"])
        finished, planned = self._gauges
        finished.set(self._planned - len(self._left))
        planned.set(self._planned)
