"""Gauges of a running training for the Ray dashboard and Prometheus (docs/monitoring.md).

Ray exports a gauge `x` as `ray_x`; it goes with the worker that set it. They are set with each row
that is reported, not with each step.
"""

from collections.abc import Sequence
from typing import Any

from ray.util.metrics import Gauge

_GAUGES = {
    "step": "Steps taken.",
    "steps_planned": "Steps of the whole training.",
    "loss": "Loss of the last step looked at.",
    "val_loss": "Held-out loss.",
    "skill": "1 - held-out loss / loss of the best constant per slot.",
    "rankme": "Effective rank of the held-out embeddings.",
    "slot_std": "Per-slot std of the held-out embeddings; 0 is collapse.",
    "step_seconds": "Seconds a step, waiting included.",
    "data_wait_seconds": "Seconds a step that it waits for its batch.",
}


class Meters:
    """Gauges of one training.

    Args:
        run: Folder of the run, path or URL.
        folder: Of the training: the run's own, or one in it, such as `pass03/combined`.
        names: Its datasets.
        steps: How many it will take.
    """

    def __init__(self, run: str, folder: str, names: Sequence[str], *, steps: int) -> None:
        tags = labels(run, folder) | {"dataset": ",".join(names)}
        self._gauges = {}
        self._steps = steps
        for name, said in _GAUGES.items():
            gauge = Gauge(f"jepa_ray_{name}", description=said, tag_keys=tuple(tags))
            gauge.set_default_tags(tags)
            self._gauges[name] = gauge

    def show(self, row: dict[str, Any]) -> None:
        """Set what a row has."""
        for name, gauge in self._gauges.items():
            value = self._steps if name == "steps_planned" else row.get(name)
            if value is not None:
                gauge.set(value)


def labels(run: str, folder: str) -> dict[str, str]:
    """`run_id`, and `training`: where in the run, such as `pass03/combined`; empty for the run."""
    run, folder = run.rstrip("/"), folder.rstrip("/")
    inside = folder[len(run) + 1 :] if folder.startswith(f"{run}/") else ""
    return {"run_id": run.rpartition("/")[2], "training": inside}
