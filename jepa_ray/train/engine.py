"""Model, optimiser and one step: what a training changes. Pure torch, no Ray."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from jepa_ray.config import TrainConfig
from jepa_ray.model import ScheduleJEPA
from jepa_ray.model.objectives import Objective, StepLoss, build_objective, parameter_groups
from jepa_ray.model.precision import Precision, autocast, compiled
from jepa_ray.model.schedules import ema_decay, learning_rate
from jepa_ray.train.data import OBJECTIVE, Batch, Worker, derived_seed


class Forward(Protocol):
    """The objective, or DDP and the compiler around it."""

    def __call__(self, x: Tensor, visible: Tensor, hidden: Tensor, step: int, /) -> StepLoss:
        """As `Objective.forward`."""
        ...


class Engine:
    """One worker's replica.

    Args:
        config: Of the training.
        worker: This process; with several there must be a torch.distributed group.
        precision: Of the forward pass.
    """

    def __init__(
        self, config: TrainConfig, worker: Worker, *, precision: Precision = "fp32"
    ) -> None:
        model = ScheduleJEPA(config.model, seed=config.seed)
        built = build_objective(model, config, seed=derived_seed(config.seed, OBJECTIVE))
        self.objective = built.to(worker.device)
        self._config, self._device, self._precision = config, worker.device, precision
        self.optimizer = torch.optim.AdamW(
            parameter_groups(
                self.objective, weight_decay=config.weight_decay, decay_all=config.decay_all
            ),
            lr=config.lr,
            fused=True,
        )
        self._trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        if config.compile:
            compiled(self.objective)
        self._forward = distribute(self.objective, worker)
        self.objective.train()

    def step(self, batch: Batch, step: int) -> Tensor:
        """Take one optimiser step; returns the loss before it, a detached scalar.

        Args:
            batch: This rank's rows.
            step: Counted from 0; lr, EMA and what the objective draws follow from it.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self._config)
        with autocast(self._precision, self._device):
            found = self._forward(batch.x, batch.visible, batch.hidden, step)
        self.optimizer.zero_grad(set_to_none=True)
        found.loss.backward()  # type: ignore[no-untyped-call]
        if self._config.clip_norm is not None:
            nn.utils.clip_grad_norm_(self._trained, self._config.clip_norm, foreach=True)
        self.optimizer.step()
        self.objective.update_target(ema_decay(step, self._config))
        return found.loss.detach()

    def weights(self) -> dict[str, Any]:
        """All that a step changes, copied to the CPU: it may be written while training goes on."""
        return {
            "objective": _copied(self.objective.state_dict()),
            "optimizer": _copied(self.optimizer.state_dict()),
        }

    def restore(self, weights: dict[str, Any]) -> None:
        """Put back what `weights` gave, to the bit."""
        self.objective.load_state_dict(weights["objective"])
        self.optimizer.load_state_dict(weights["optimizer"])


def distribute(objective: Objective, worker: Worker) -> Forward:
    """The objective itself, or DDP around it when there are several workers."""
    if worker.world == 1:
        return objective
    ids = [worker.device] if worker.device.type == "cuda" else None
    wrapped: Forward = nn.parallel.DistributedDataParallel(objective, device_ids=ids)
    return wrapped


def _copied(value: Any) -> Any:
    """Nested dicts and lists with every tensor copied to the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
