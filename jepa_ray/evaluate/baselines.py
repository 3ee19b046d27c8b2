"""What simple predictors make of the same trained targets.

All are fitted on training windows, never on those that are scored:

- global_mean: one token, the mean of the hidden targets.
- slot_mean: one token per slot. (Skill's own constant is that of the scored windows' side: a
  little better than this one.)
- nearest_visible: the target encoder's own token at the nearest visible slot, copied. It sees the
  whole window, which the model does not.
- ridge_context: the slot's mean, and per slot a ridge regression from what is seen: the mean
  context token and the mean features of the visible slots.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from jepa_ray.evaluate.passes import Batch, Pass, features
from jepa_ray.evaluate.ridge import Scaler, weights
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import SLOTS

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Baselines:
    """What was fitted.

    Attributes:
        global_mean: float64 [D].
        slot_mean: float64 [96, D].
        scaler: Of the features of the context.
        ridge: float64 [96, D + 14, D].
        pooled: float64 [n, D], embeddings of the training windows, in their order.
    """

    global_mean: Floats
    slot_mean: Floats
    scaler: Scaler
    ridge: Floats
    pooled: Floats

    def errors(self, found: Pass) -> dict[str, Floats]:
        """Squared errors of each on the rows of a pass, summed over dimensions: float64 [r]."""
        rows = found.predicted
        targets = rows.targets.double().numpy()
        return {
            "global_mean": np.square(targets - self.global_mean).sum(axis=1),
            "slot_mean": np.square(targets - self.slot_mean[rows.slot]).sum(axis=1),
            "nearest_visible": rows.copied,
            "ridge_context": np.square(targets - self._from_context(found)).sum(axis=1),
        }

    def _from_context(self, found: Pass) -> Floats:
        x, rows = self.scaler.scaled(found.features), found.predicted
        guess = self.slot_mean[rows.slot]
        for slot in range(SLOTS):
            mine = np.flatnonzero(rows.slot == slot)
            guess[mine] += x[rows.window[mine]] @ self.ridge[slot]
        return guess


def fit_baselines(model: ScheduleJEPA, batches: Iterable[Batch]) -> Baselines:
    """Fit all of them on training windows and masks.

    Raises:
        ValueError: There is no batch.
    """
    device = next(model.parameters()).device
    tokens, seen, hidden = [], [], []
    with torch.inference_mode():
        for windows, masks in batches:
            x = windows.to(device, non_blocking=True)
            visible, _ = masks.tensors(device)
            tokens.append(model.target_tokens(x).cpu())
            seen.append(features(x, model.context_encoder(x, visible), visible))
            hides = np.zeros((len(x), SLOTS), np.bool_)
            np.put_along_axis(hides, masks.hidden, values=True, axis=1)
            hidden.append(hides)
    if not tokens:
        raise ValueError("baselines without a training window cannot be fitted")
    return _fitted(torch.cat(tokens).numpy(), np.concatenate(seen), np.concatenate(hidden))


def _fitted(tokens: NDArray[np.float32], seen: Floats, hidden: NDArray[np.bool_]) -> Baselines:
    scaler = Scaler.of(seen)
    x = scaler.scaled(seen)
    count, width = x.shape[1], tokens.shape[2]
    ridge = np.zeros((SLOTS, count, width))
    slot_mean, total = np.zeros((SLOTS, width)), np.zeros(width)
    for slot in range(SLOTS):
        y, rows = tokens[:, slot].astype(np.float64), hidden[:, slot]
        slot_mean[slot] = y.mean(axis=0)
        total += y[rows].sum(axis=0)
        ridge[slot] = weights(x[rows], y[rows] - slot_mean[slot], penalty=count)
    pooled = tokens.mean(axis=1, dtype=np.float64)
    return Baselines(total / hidden.sum(), slot_mean, scaler, ridge, pooled)
