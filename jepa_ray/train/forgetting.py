"""What a sequential training remembers: held-out loss of every dataset after each leg.

The windows and masks of a dataset are the same each time. The target is not: a loss is against the
target encoder of its time, a moving average, so losses fall and rise over the legs with the target,
trained on the dataset or not, and do not compare absolutely. Skills do better: they are in shares
of the target's variance.
"""

import json
from typing import Any

import torch

from jepa_ray.config import TrainConfig
from jepa_ray.model.objectives import Objective
from jepa_ray.train.data import Data
from jepa_ray.train.validate import losses

Row = dict[str, Any]


class LegScores:
    """Scores the model untrained and after each leg; an interleaved training has none.

    Args:
        objective: In training.
        data: With legs, and their held-out windows on rank 0.
        config: Of the training.
        device: Of the objective.

    Attributes:
        rows: A dict each time: `dataset` of the leg (None: untrained), `step` after which it was
            taken, `losses` and `skills` of all datasets by name.
    """

    def __init__(
        self, objective: Objective, data: Data, config: TrainConfig, device: torch.device
    ) -> None:
        self._objective, self._held_out = objective, data.leg_held_out
        self._kind, self._device = config.objective.kind, device
        self._ends: dict[int, str | None] = {0: None} if data.legs else {}
        self._ends |= {leg.end: leg.dataset for leg in data.legs}
        self.rows: list[Row] = []

    def due(self, step: int) -> bool:
        """Whether a leg ends where so many steps are done, or the first one begins."""
        return step in self._ends

    def take(self, step: int) -> Row:
        """Add a row, and return it; not for ranks without windows."""
        found = {
            name: losses(self._objective, batches, self._kind, self._device)
            for name, batches in sorted(self._held_out.items())
        }
        row = {
            "dataset": self._ends[step],
            "step": step,
            "losses": {name: loss for name, (loss, _) in found.items()},
            "skills": {name: skill for name, (_, skill) in found.items()},
        }
        self.rows.append(row)
        return row

    def state(self) -> str:
        """What `restore` puts back."""
        return json.dumps(self.rows)

    def restore(self, state: str) -> None:
        """Go on with the rows that `state` gave."""
        self.rows = json.loads(state)
