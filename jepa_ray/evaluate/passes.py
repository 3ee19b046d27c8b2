"""One pass of a model over windows; everything else is derived from what it keeps.

What is kept of a hidden slot is a row: its window, slot and distance to the nearest visible slot,
its target and the squared error of its prediction. Rows follow windows, so a sum over rows by
window is all that an interval needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.evaluate.distance import nearest_visible
from jepa_ray.model import EmbeddingMeter, Masks, Monitors, ScheduleJEPA, SkillMeter
from jepa_ray.model.layers import take_slots
from jepa_ray.windows import POSITIONS

Batch = tuple[Tensor, Masks]


class NotFiniteError(ValueError):
    """A model's embeddings hold a NaN or an infinity."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """The hidden slots of n windows, r rows in all, in the order of the windows.

    Attributes:
        windows: n.
        window, slot, distance: int64 [r].
        error: float64 [r], squared error of the prediction, summed over dimensions.
        copied: float64 [r], that of copying the target encoder's own token at the nearest visible
            slot.
        targets: float32 [r, D].
    """

    windows: int
    window: NDArray[np.int64]
    slot: NDArray[np.int64]
    distance: NDArray[np.int64]
    error: NDArray[np.float64]
    copied: NDArray[np.float64]
    targets: Tensor

    @property
    def width(self) -> int:
        """D."""
        return self.targets.shape[1]

    def of(self, chosen: NDArray[np.bool_]) -> "Predicted":
        """Those of some windows, bool [n], which get new numbers."""
        rows = chosen[self.window]
        return Predicted(
            windows=int(chosen.sum()),
            window=(np.cumsum(chosen) - 1)[self.window[rows]],
            slot=self.slot[rows],
            distance=self.distance[rows],
            error=self.error[rows],
            copied=self.copied[rows],
            targets=self.targets[torch.from_numpy(rows)],
        )

    def joined(self, other: "Predicted") -> "Predicted":
        """These windows, then the others."""
        return Predicted(
            windows=self.windows + other.windows,
            window=np.concatenate([self.window, other.window + self.windows]),
            slot=np.concatenate([self.slot, other.slot]),
            distance=np.concatenate([self.distance, other.distance]),
            error=np.concatenate([self.error, other.error]),
            copied=np.concatenate([self.copied, other.copied]),
            targets=torch.cat([self.targets, other.targets]),
        )


@dataclass(frozen=True, eq=False)
class Pass:
    """What a model made of n windows.

    Attributes:
        predicted: Its hidden slots.
        tokens: float32 [k, 96, D], target tokens of the first k windows, as many as were asked for.
        pooled: float64 [n, D], window embeddings.
        features: float64 [n, D + 14], what is seen: see `features`.
        meters: Of all windows.
    """

    predicted: Predicted
    tokens: Tensor
    pooled: NDArray[np.float64]
    features: NDArray[np.float64]
    meters: "Meters"

    @property
    def monitors(self) -> Monitors:
        """The numbers of `model.measure`."""
        return self.meters.monitors


class Meters:
    """The monitors of one group of windows, added batch by batch."""

    def __init__(self) -> None:
        self.skills, self.embeddings = SkillMeter(), EmbeddingMeter()

    def update(self, tokens: Tensor, predictions: Tensor, targets: Tensor, hidden: Tensor) -> None:
        """Add windows: tokens [B, 96, D], predictions and targets [B, H, D], hidden [B, H]."""
        self.skills.update(predictions, targets, hidden)
        self.embeddings.update(tokens)

    @property
    def monitors(self) -> Monitors:
        """The numbers of `model.measure`."""
        return Monitors(
            loss=self.skills.loss,
            skill=self.skills.skill,
            slot_std=self.embeddings.slot_std,
            rankme=self.embeddings.rankme,
            cosine_to_mean=self.embeddings.cosine_to_mean,
        )


def run(
    model: ScheduleJEPA,
    batches: Iterable[Batch],
    *,
    keep_tokens: int = 0,
    tokens_known: Tensor | None = None,
    labels: NDArray[np.int64] | None = None,
    by_label: dict[int, Meters] | None = None,
) -> Pass:
    """Run a model over windows once, without a gradient.

    Args:
        model: In eval mode; computes where its weights lie.
        batches: Windows [B, 96, 16] and their masks.
        keep_tokens: Of so many windows, the first ones, all target tokens are kept.
        tokens_known: [n, 96, D], what the target encoder makes of the windows, or of others that
            are to be predicted from them; None: it is asked.
        labels: int64 [n], a label of each window.
        by_label: Gets the monitors of the windows of each label.

    Raises:
        NotFiniteError: An embedding is not finite.
        ValueError: There is no batch.
    """
    kept = _Kept(keep_tokens)
    device = next(model.parameters()).device
    with torch.inference_mode():
        for windows, masks in batches:
            x = windows.to(device, non_blocking=True)
            visible, hidden = masks.tensors(device)
            tokens = _tokens(model, x, kept.windows, tokens_known)  # [B, 96, D]
            context = model.context_encoder(x, visible)  # [B, V, D]
            predictions = model.predictor(context, visible, hidden)  # [B, H, D]
            targets = take_slots(tokens, hidden)
            if by_label is not None and labels is not None:
                of_batch = labels[kept.windows : kept.windows + len(x)]
                for label in np.unique(of_batch):
                    rows = torch.from_numpy(np.flatnonzero(of_batch == label)).to(device)
                    found = (each[rows] for each in (tokens, predictions, targets, hidden))
                    by_label.setdefault(int(label), Meters()).update(*found)
            kept.add(tokens, predictions, targets, hidden, masks)
            kept.features.append(features(x, context, visible))
    return kept.found()


def _tokens(model: ScheduleJEPA, x: Tensor, start: int, known: Tensor | None) -> Tensor:
    if known is None:
        return model.target_tokens(x)
    return known[start : start + len(x)].to(x.device)


class _Kept:
    """Gathers the rows of a pass."""

    def __init__(self, keep_tokens: int) -> None:
        self.windows = 0
        self.features: list[NDArray[np.float64]] = []
        self._pooled: list[Tensor] = []
        self._keep_tokens = keep_tokens
        self._meters = Meters()
        self._rows: list[tuple[NDArray[np.int64], ...]] = []
        self._values: list[tuple[Tensor, ...]] = []
        self._tokens: list[Tensor] = []

    def add(
        self, tokens: Tensor, predictions: Tensor, targets: Tensor, hidden: Tensor, masks: Masks
    ) -> None:
        """Add a batch."""
        self._meters.update(tokens, predictions, targets, hidden)
        slot, distance = nearest_visible(masks)
        window = np.arange(self.windows, self.windows + len(slot))[:, None]
        self._rows.append((np.broadcast_to(window, slot.shape), masks.hidden, distance))
        copies = take_slots(tokens, torch.from_numpy(slot).to(tokens.device))
        errors = (_squared(each, targets) for each in (predictions, copies))
        self._values.append((targets.flatten(0, 1).cpu(), *errors))
        self._pooled.append(tokens.double().mean(dim=1).cpu())
        left = self._keep_tokens - self.windows
        if left > 0:
            self._tokens.append(tokens[:left].cpu())
        self.windows += len(slot)

    def found(self) -> Pass:
        """The pass over all that was added."""
        if not self._rows:
            raise ValueError("a pass without a batch has no numbers")
        pooled = torch.cat(self._pooled).numpy()
        if not np.isfinite(pooled).all():
            raise NotFiniteError("an embedding is not finite")
        columns = zip(*self._rows, strict=True)
        window, slot, distance = (np.concatenate([r.ravel() for r in each]) for each in columns)
        targets, error, copied = (torch.cat(each) for each in zip(*self._values, strict=True))
        rows = Predicted(
            self.windows, window, slot, distance, error.numpy(), copied.numpy(), targets
        )
        return Pass(
            predicted=rows,
            tokens=torch.cat(self._tokens) if self._tokens else targets[:0],
            pooled=pooled,
            features=np.concatenate(self.features),
            meters=self._meters,
        )


def _squared(guess: Tensor, targets: Tensor) -> Tensor:
    """Squared errors summed over dimensions: [B, H, D] -> float64 [B * H] on the CPU."""
    return (guess.double() - targets.double()).square().sum(dim=2).flatten().cpu()


def features(x: Tensor, context: Tensor, visible: Tensor) -> NDArray[np.float64]:
    """What a linear readout may know of the visible slots.

    Args:
        x: [B, 96, 16].
        context: [B, V, D], tokens of the context encoder.
        visible: int64 [B, V].

    Returns:
        float64 [B, D + 14]: the mean token, and the mean of each stored feature.
    """
    raw = take_slots(x[:, :, POSITIONS:].contiguous(), visible)
    means = [each.double().mean(dim=1) for each in (context, raw)]
    found: NDArray[np.float64] = torch.cat(means, dim=1).cpu().numpy()
    return found
