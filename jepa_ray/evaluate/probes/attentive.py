"""A readout that chooses its slots: learned queries attend over them, a linear model reads the sum.

Each of four queries q weighs the slots s that are seen by softmax(q . z_s + b_s); z is a token less
the mean of its slot, which is mostly its position, over training windows. The weighted means stand
side by side before a linear model, scaled so that all begins as the linear readout of the mean
(q = 0, b = 0). Fitted by Adam with a penalty on all weights, of the same grid and on the same folds
as the linear readouts, all penalties of a fold at once.

Source: the attentive probe of Bardes et al. 2024 (V-JEPA), without its residual block.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.labels import (
    Values,
    as_metric_wants,
    class_weights,
    group_folds,
    is_class,
    prior,
    targets,
)
from jepa_ray.evaluate.probes.problem import Float32, Index, Problem, seeded
from jepa_ray.evaluate.probes.slots import Slots

_QUERIES, _BATCH, _RATE = 4, 256, 0.01


def attentive(slots: Slots, told: Float32, problem: Problem, config: ProbeConfig) -> Values:
    """Fit on the training windows; what it says of the test windows.

    Args:
        slots: Of all windows.
        told: float32 (n, t), what every arm knows beside the window.
        problem: Labels and sides.
        config: The budget.

    Returns:
        As the other readouts.
    """
    inputs = _Inputs.of(slots, told, problem)
    if inputs is None:
        return prior(problem)
    labels = _Labels.of(problem)
    penalties = sorted(config.penalties, reverse=True)
    losses = np.zeros(len(penalties))
    for fit, held in group_folds(problem, config):
        readout = _fitted(inputs, labels, problem.train[fit], penalties, config)
        losses += _losses(readout, inputs, labels, problem.train[held])
    best = [penalties[int(losses.argmin())]]
    readout = _fitted(inputs, labels, problem.train, best, config)
    with torch.inference_mode():
        found = torch.cat([readout(*inputs.of_rows(b))[0] for b in _batches(problem.test)])
    return as_metric_wants(labels.as_they_were(found), problem)


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What is read of n windows, and what training windows say of it.

    Attributes:
        values, seen, place: As in `Slots`.
        told: Standardised, float32 (n, t).
        centre: Of each slot, float32 (96, d).
        scale: Of tokens, float32 (d,): 1 / deviation from the slot's centre.
        pooled_scale: Of their means over the slots that are seen.
    """

    values: Tensor
    seen: Tensor
    place: Tensor
    told: Tensor
    centre: Tensor
    scale: Tensor
    pooled_scale: Tensor

    @classmethod
    def of(cls, slots: Slots, told: Float32, problem: Problem) -> "_Inputs | None":
        """None where the training windows are all alike."""
        train = problem.train
        centre = slots.centre(train)
        apart, pooled = slots.deviations(centre, train)
        if not pooled.any():
            return None
        known = told - told[train].mean(axis=0)
        return cls(
            values=torch.from_numpy(slots.values),
            seen=torch.from_numpy(slots.seen),
            place=torch.from_numpy(slots.place),
            told=torch.from_numpy(known * _inverse(known[train].std(axis=0))),
            centre=torch.from_numpy(centre),
            scale=torch.from_numpy(_inverse(apart)),
            pooled_scale=torch.from_numpy(_inverse(pooled)),
        )

    def of_rows(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, what is seen, and what is told of some windows."""
        where = self.place[rows]
        return self.values[where], self.seen[where], self.told[rows]


def _inverse(deviation: Float32) -> Float32:
    """1 / deviation; 0 where nothing varies."""
    known = deviation > 1e-6
    return np.where(known, 1 / np.where(known, deviation, 1), 0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Labels:
    """Labels of n windows: (n, classes) of 0 and 1, or (n, outputs) less their mean, scaled."""

    y: Tensor
    weights: Tensor
    classes: bool
    centre: Tensor
    spread: Tensor

    @classmethod
    def of(cls, problem: Problem) -> "_Labels":
        train, classes = problem.train, is_class(problem)
        y = torch.from_numpy(targets(problem).astype(np.float32))
        centre, spread = torch.zeros(1), torch.ones(())
        if not classes:
            centre = y[train].mean(dim=0)
            spread = (y[train] - centre).square().mean().sqrt().clamp_min(1e-12)
        weights = torch.zeros(len(y))
        weights[train] = torch.from_numpy(class_weights(problem).astype(np.float32))
        return cls((y - centre) / spread, weights, classes, centre, spread)

    def loss(self, found: Tensor, rows: Tensor) -> Tensor:
        """Of (p, b, outputs), summed over windows: (p,)."""
        y, weights = self.y[rows].expand_as(found), self.weights[rows]
        if self.classes:
            each = -(y * functional.log_softmax(found, dim=2)).sum(dim=2)
        else:
            each = (found - y).square().sum(dim=2) / 2
        return (weights * each).sum(dim=1)

    def as_they_were(self, found: Tensor) -> Values:
        """Probabilities, or values in the unit of the labels."""
        said = found.double()
        return (said.softmax(dim=1) if self.classes else said * self.spread + self.centre).numpy()


class _Readouts(torch.nn.Module):
    """Readouts of p penalties side by side: (b, 96, d) tokens -> (p, b, outputs)."""

    def __init__(
        self, inputs: _Inputs, outputs: int, penalties: int, draw: torch.Generator
    ) -> None:
        super().__init__()
        slots, width = inputs.centre.shape
        start = torch.zeros(_QUERIES * width + inputs.told.shape[1], outputs)
        start[: _QUERIES * width] = torch.randn(_QUERIES * width, outputs, generator=draw) * 0.01
        self.queries = torch.nn.Parameter(torch.zeros(penalties, _QUERIES, width))
        self.slots = torch.nn.Parameter(torch.zeros(penalties, _QUERIES, slots))
        self.weights = torch.nn.Parameter(start.repeat(penalties, 1, 1))
        self.bias = torch.nn.Parameter(torch.zeros(penalties, 1, outputs))
        self.inputs = inputs

    def forward(self, values: Tensor, seen: Tensor, told: Tensor) -> Tensor:
        """Tokens are centred and scaled on the way, in what is small: scores and means."""
        own, centre = self.inputs, self.inputs.centre
        queries = (self.queries * own.scale).flatten(0, 1)
        scores = queries @ values.transpose(1, 2) + (self.slots.flatten(0, 1) - queries @ centre.T)
        lowest = torch.finfo(scores.dtype).min
        weights = scores.masked_fill(~seen[:, None], lowest).softmax(dim=2)
        means = (weights @ values - weights @ centre) * own.pooled_scale
        each = means.reshape(len(values), len(self.weights), -1).transpose(0, 1)
        known = torch.cat([each, told.expand(len(each), -1, -1)], dim=2)
        return torch.baddbmm(self.bias, known, self.weights)

    def penalty(self) -> Tensor:
        """Half the squared norm of each: (p,)."""
        parts = (self.queries, self.slots, self.weights)
        total: Tensor = sum((part.square().sum((1, 2)) for part in parts), torch.zeros(())) / 2
        return total


def _fitted(
    inputs: _Inputs, labels: _Labels, rows: Index, penalties: list[float], config: ProbeConfig
) -> _Readouts:
    """Readouts of these penalties, fitted on these windows."""
    draw = torch.Generator().manual_seed(int(seeded(config.seed, 13).integers(2**31)))
    readout = _Readouts(inputs, labels.y.shape[1], len(penalties), draw)
    share = torch.tensor(penalties) / len(rows)
    optimizer = torch.optim.Adam(readout.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.attentive_steps)
    batches: list[Tensor] = []
    for _ in range(config.attentive_steps):
        if not batches:
            batches = _batches(rows[torch.randperm(len(rows), generator=draw).numpy()])
        batch = batches.pop()
        fit = labels.loss(readout(*inputs.of_rows(batch)), batch) / len(batch)
        optimizer.zero_grad()
        torch.autograd.backward((fit + share * readout.penalty()).sum())
        optimizer.step()
        schedule.step()
    return readout


@torch.inference_mode()
def _losses(readout: _Readouts, inputs: _Inputs, labels: _Labels, rows: Index) -> Values:
    parts = [labels.loss(readout(*inputs.of_rows(b)), b).double() for b in _batches(rows)]
    return torch.stack(parts).sum(dim=0).numpy()


def _batches(rows: Index) -> list[Tensor]:
    """Of equal size, but for one."""
    return list(torch.split(torch.from_numpy(rows), _BATCH))
