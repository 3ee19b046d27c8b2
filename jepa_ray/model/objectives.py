"""What is minimised."""

from typing import Any, NamedTuple

from torch import Tensor, nn

from jepa_ray.config import TrainConfig
from jepa_ray.errors import ConfigError
from jepa_ray.model.network import ScheduleJEPA


class StepLoss(NamedTuple):
    """The loss of a step.

    Attributes:
        loss: float32 scalar, what is minimised.
        parts: Detached scalars by name.
    """

    loss: Tensor
    parts: dict[str, Tensor]


class Terms(NamedTuple):
    """What one pass over some windows gives."""

    prediction: Tensor
    context: Tensor


class Objective(nn.Module):
    """The module that DDP wraps."""

    def __init__(self, model: ScheduleJEPA) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, visible: Tensor, hidden: Tensor, step: int) -> StepLoss:  # noqa: ARG002
        """The loss of a batch; arguments as for `ScheduleJEPA.forward`."""
        loss = self.model.loss(self.model(x, visible, hidden))
        return StepLoss(loss, {"prediction": loss.detach()})

    def terms(self, x: Tensor, visible: Tensor, hidden: Tensor) -> Terms:
        """One pass over windows."""
        context = self.model.context_encoder(x, visible)
        return Terms(self.model.loss(self.model(x, visible, hidden)), context)

    def update_target(self, decay: float) -> None:
        """Move the target encoder."""
        self.model.update_target(decay)


def build_objective(model: ScheduleJEPA, config: TrainConfig, *, seed: int) -> Objective:  # noqa: ARG001
    """The objective of a config.

    Raises:
        ConfigError: Another kind than `jepa`.
    """
    if config.objective.kind != "jepa":
        raise ConfigError(f"objective.kind {config.objective.kind!r} is not built")
    return Objective(model)


def parameter_groups(
    objective: nn.Module, *, weight_decay: float, decay_all: bool
) -> list[dict[str, Any]]:
    """Parameters by whether they are decayed."""
    trained = [p for p in objective.parameters() if p.requires_grad]
    if decay_all:
        return [{"params": trained, "weight_decay": weight_decay}]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
