"""What is minimised: the module that DDP wraps.

| kind | the predictor's output at the hidden slots is compared with |
|---|---|
| jepa | the target encoder's tokens there (mean squared error) |
| mae | their 14 stored features, by a linear decoder (mean squared error) |
| supervised | whether each of five activities is on there, by a linear head (cross-entropy) |

`mae` and `supervised` are arms to compare with: their embeddings, too, are those of the target
encoder, which is then a copy of the context encoder and costs nothing.

The loss and the regulariser are taken in float32 whatever the precision.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jepa_ray.config import ObjectiveConfig, TrainConfig
from jepa_ray.model.activity import ACTIVITIES, ACTIVITY_FEATURES
from jepa_ray.model.chunks import mean_by_chunks
from jepa_ray.model.collapse_term import BatchNorm, CollapseTerm
from jepa_ray.model.layers import take_slots
from jepa_ray.model.network import ScheduleJEPA, full_precision
from jepa_ray.windows import POSITIONS, STORED

CACHE_ROWS = 64
"""Windows at a time on a CPU: what they need stays in its cache. Larger and smaller were slower."""


class StepLoss(NamedTuple):
    """Of one step and one rank.

    Attributes:
        loss: float32 scalar, what is minimised.
        parts: Detached scalars by name: `prediction`, and `regulariser` where there is one.
    """

    loss: Tensor
    parts: dict[str, Tensor]


class Terms(NamedTuple):
    """What one pass over some windows gives.

    Attributes:
        prediction: Mean over them, a scalar.
        context: [B, V, D], the context encoder's tokens.
    """

    prediction: Tensor
    context: Tensor


class Objective(nn.Module):
    """The model and what is needed to train it.

    Args:
        model: To train; `objective.model` is the same object.
        config: Kind, target, regulariser.
        seed: Of the weights beside the model's, and of the regulariser's draws, in [0, 2**63).
    """

    def __init__(self, model: ScheduleJEPA, config: ObjectiveConfig, *, seed: int) -> None:
        super().__init__()
        self.model = model
        self.config = config
        width = model.config.d_model
        outputs = {"jepa": 0, "mae": len(STORED), "supervised": ACTIVITIES}[config.kind]
        regularised = config.regulariser != "none"
        with torch.device("meta"):  # allocates and draws nothing: _initialise does
            self.readout = nn.Linear(width, outputs) if outputs else None
            self.collapse = CollapseTerm(width, config, seed=seed) if regularised else None
        self._compiled: Callable[..., Terms] | None = None
        generator = torch.Generator().manual_seed(seed)
        for added in (self.readout, self.collapse):
            if added is not None:
                _initialise(added.to_empty(device="cpu"), generator)
        self.to(model.predictor.head.weight.device, model.predictor.head.weight.dtype)

    def forward(self, x: Tensor, visible: Tensor, hidden: Tensor, step: int) -> StepLoss:
        """The loss of one step.

        Args:
            x: [B, 96, 16], this rank's windows; equally many on each rank.
            visible: int64 [B, V].
            hidden: int64 [B, H].
            step: Decides what the regulariser draws.

        Returns:
            The prediction's loss over this rank's windows, and the regulariser over those of all
            ranks: averaging gradients over ranks, as DDP does, gives those of the global batch.
        """
        if self.collapse is None:
            loss = self._prediction(x, visible, hidden)
            return StepLoss(loss, {"prediction": loss.detach()})
        prediction, context = self.terms(x, visible, hidden)
        regulariser = self.collapse(context, visible, step)
        return StepLoss(
            prediction + self.config.weight * regulariser,
            {"prediction": prediction.detach(), "regulariser": regulariser.detach()},
        )

    def _prediction(self, x: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
        rows = CACHE_ROWS if x.device.type == "cpu" else len(x)
        parameters = [p for p in self.parameters() if p.requires_grad]
        return mean_by_chunks(
            lambda *part: self.terms(*part).prediction,
            (x, visible, hidden),
            parameters,
            rows=rows,
        )

    def terms(self, x: Tensor, visible: Tensor, hidden: Tensor) -> Terms:
        """One pass over windows [B, 96, 16], compiled if `compiled` was asked for it."""
        return (self._compiled or self._terms)(x, visible, hidden)

    def _terms(self, x: Tensor, visible: Tensor, hidden: Tensor) -> Terms:
        context = self.model.context_encoder(x, visible)  # [B, V, D]
        predictions = self.model.predictor(context, visible, hidden)  # [B, H, D]
        return Terms(self.prediction(predictions, x, hidden), context)

    def prediction(self, predictions: Tensor, x: Tensor, hidden: Tensor) -> Tensor:
        """The loss of what the predictor said, without the regulariser.

        Args:
            predictions: [B, H, D], the predictor's output at the hidden slots.
            x: [B, 96, 16].
            hidden: int64 [B, H].

        Returns:
            float32 scalar, the mean over windows, slots and values.
        """
        if self.readout is not None:
            predictions = self.readout(predictions)  # [B, H, 14] or [B, H, 5]
        predictions = full_precision(predictions)
        if self.config.kind == "jepa":
            targets = self.model.target_tokens(x, hidden)
            return F.mse_loss(predictions, full_precision(targets))
        there = take_slots(x, hidden).to(predictions.dtype)  # [B, H, 16]
        if self.config.kind == "mae":
            return F.mse_loss(predictions, there[..., POSITIONS:])
        on = (there[..., ACTIVITY_FEATURES] > 0).to(predictions.dtype)
        return F.binary_cross_entropy_with_logits(predictions, on)

    def update_target(self, decay: float) -> None:
        """Move the target encoder after a step.

        Args:
            decay: EMA: target = decay * target + (1 - decay) * context. Not used where the target
                is online, or by mae and supervised: there it becomes a copy.
        """
        follows = self.config.kind == "jepa" and self.config.target == "ema"
        self.model.update_target(decay if follows else 0.0)

    def compile_terms(self) -> None:
        """Let torch.compile fuse the pass; the first step, and each new shape, then take longer."""
        self._compiled = torch.compile(self._terms)


@torch.no_grad()
def _initialise(module: nn.Module, generator: torch.Generator) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            part.weight.normal_(0, part.in_features**-0.5, generator=generator)
            part.bias.zero_()
        elif isinstance(part, BatchNorm):
            part.weight.fill_(1)
            part.bias.zero_()


def build_objective(model: ScheduleJEPA, config: TrainConfig, *, seed: int) -> Objective:
    """The objective that a training's settings ask for; `seed` as for `Objective`."""
    return Objective(model, config.objective, seed=seed)


def parameter_groups(
    objective: nn.Module, *, weight_decay: float, decay_all: bool
) -> list[dict[str, Any]]:
    """What AdamW optimises: all parameters that want a gradient.

    Args:
        objective: Or any module.
        weight_decay: Of the decayed ones.
        decay_all: Decay everything; else not what is a vector (biases, norms, mask token) nor the
            positions.

    Returns:
        One group, or two: decayed and not.
    """
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for name, parameter in objective.named_parameters():
        if parameter.requires_grad:
            spare = not decay_all and (parameter.ndim < 2 or name.endswith("positions"))
            (spared if spare else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}]
    return [*groups, {"params": spared, "weight_decay": 0.0}] if spared else groups
