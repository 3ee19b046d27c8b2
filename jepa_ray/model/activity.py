"""The probe `activity`: does an embedding of the visible slots say what happens in hidden ones?

The embedding is the mean of the context encoder's tokens over the visible slots, so nothing of a
hidden slot can reach it. For each slot of the day a ridge regression (closed form, float64) maps it
to whether anything happens there. It is fitted on the first half of the windows and scored on the
second, hidden slots only:

    R2 = 1 - SSE / SSE of the slot's own share of activity in the first half

0 is what the time of day alone tells; 1 is perfect; below 0 is worse than the time of day. The
windows, masks and penalty never change during a training, so the scores of its checkpoints compare.
It looks at the windows, not at the JEPA loss, so a collapsed encoder cannot please it.
"""

import torch
from torch import Tensor

from jepa_ray.windows import INDEX, SLOTS

ACTIVITY_FEATURES = slice(INDEX["calendar_event"], INDEX["code_activity"] + 1)
"""calendar_event, task, email_activity, project_activity, code_activity."""

ACTIVITIES = ACTIVITY_FEATURES.stop - ACTIVITY_FEATURES.start
"""How many these are."""


class ActivityProbe:
    """Collects windows, then scores."""

    def __init__(self) -> None:
        self._embeddings: list[Tensor] = []
        self._active: list[Tensor] = []
        self._hidden: list[Tensor] = []

    def update(self, context: Tensor, windows: Tensor, hidden: Tensor) -> None:
        """Add a batch.

        Args:
            context: [B, V, D], the context encoder's tokens at the visible slots.
            windows: [B, 96, 16].
            hidden: int64 [B, H].
        """
        active = windows[:, :, ACTIVITY_FEATURES].amax(dim=2) > 0
        seen = torch.zeros(len(windows), SLOTS, dtype=torch.float64, device=windows.device)
        self._embeddings.append(context.detach().double().mean(dim=1).cpu())
        self._active.append(active.double().cpu())
        self._hidden.append(seen.scatter_(1, hidden, 1.0).cpu())

    def score(self) -> float:
        """R2 over the hidden slots of the second half; 0.0 where nothing varies there."""
        z, y, hidden = (torch.cat(x) for x in (self._embeddings, self._active, self._hidden))
        half = len(z) // 2
        if not half:
            return 0.0
        mean, std = z[:half].mean(dim=0), z[:half].std(dim=0, correction=0)
        z = (z - mean) / torch.where(std > 0, std, 1.0)
        prior, weights = _fit(z[:half], y[:half], hidden[:half])
        z, y, hidden = z[half:], y[half:], hidden[half:]
        constant = float((hidden * (y - prior).square()).sum())
        if constant == 0:
            return 0.0
        error = float((hidden * (y - prior - z @ weights)).square().sum())
        return 1 - error / constant


def _fit(z: Tensor, y: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """The mean [96] and the ridge weights [D, 96] of each slot over the windows that hid it."""
    count = hidden.sum(dim=0)  # [96]
    prior = (hidden * y).sum(dim=0) / count.clamp(min=1)
    gram = torch.einsum("bd,bs,be->sde", z, hidden, z)
    # As strong as D windows that say nothing: few windows then fit little, not noise.
    ridge = z.shape[1] * torch.eye(z.shape[1], dtype=z.dtype)
    moments = torch.einsum("bd,bs->sd", z, hidden * (y - prior))
    weights: Tensor = torch.linalg.solve(gram + ridge, moments[:, :, None])[:, :, 0]
    return prior, weights.T
