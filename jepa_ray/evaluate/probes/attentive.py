"""A readout that chooses its slots: learned queries attend over them, a linear model reads the sum.

Each of four queries q weighs the slots s that are seen by softmax(q . z + b_s), z standardised by
the training windows; the weighted means stand side by side before a linear model. It begins as a
linear readout of the mean (q = 0, b = 0) and is fitted by Adam with a penalty on all weights, of
the same grid and on the same folds as the linear readouts, all penalties of a fold at once.

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
    made = _Data.of(slots, told, problem)
    if made is None:
        return prior(problem)
    penalties = sorted(config.penalties, reverse=True)
    losses = np.zeros(len(penalties))
    for fit, held in group_folds(problem, config):
        readout = _fitted(made, problem.train[fit], penalties, config)
        losses += made.losses(readout, problem.train[held])
    best = [penalties[int(losses.argmin())]]
    readout = _fitted(made, problem.train, best, config)
    return as_metric_wants(made.said(readout, problem.test), problem)


class _Readouts(torch.nn.Module):
    """Readouts of p penalties side by side: (b, 96, d) tokens -> (p, b, outputs)."""

    def __init__(self, data: "_Data", penalties: int, draw: torch.Generator) -> None:
        super().__init__()
        _, slots, width = data.values.shape
        inputs, outputs = _QUERIES * width + data.told.shape[1], data.y.shape[1]
        start = torch.randn(inputs, outputs, generator=draw) * 0.01
        self.queries = torch.nn.Parameter(torch.zeros(penalties, _QUERIES, width))
        self.slots = torch.nn.Parameter(torch.zeros(penalties, _QUERIES, slots))
        self.weights = torch.nn.Parameter(start.repeat(penalties, 1, 1))
        self.bias = torch.nn.Parameter(torch.zeros(penalties, 1, outputs))
        self.mean, self.scale = data.mean, data.scale

    def forward(self, values: Tensor, seen: Tensor, told: Tensor) -> Tensor:
        """Tokens are standardised on the way, by queries and sums: softmax forgets their mean."""
        queries = (self.queries * self.scale).flatten(0, 1)
        scores = queries @ values.transpose(1, 2) + self.slots.flatten(0, 1)
        weights = scores.masked_fill(~seen[:, None], -torch.inf).softmax(dim=2)
        means = (weights @ values - self.mean) * self.scale
        each = means.reshape(len(values), len(self.weights), -1).transpose(0, 1)
        known = torch.cat([each, told.expand(len(each), -1, -1)], dim=2)
        return torch.baddbmm(self.bias, known, self.weights)

    def penalty(self) -> Tensor:
        """Half the squared norm of each: (p,)."""
        parts = (self.queries, self.slots, self.weights)
        total: Tensor = sum((part.square().sum((1, 2)) for part in parts), torch.zeros(())) / 2
        return total


@dataclass(frozen=True, eq=False)
class _Data:
    """What is read, as tensors; `mean` and `scale` standardise tokens by the training windows."""

    values: Tensor
    seen: Tensor
    place: Tensor
    mean: Tensor
    scale: Tensor
    told: Tensor
    y: Tensor
    classes: bool
    weights: Tensor
    centre: Tensor
    spread: Tensor

    @classmethod
    def of(cls, slots: Slots, told: Float32, problem: Problem) -> "_Data | None":
        """None where all slots of the training windows are alike."""
        train = problem.train
        mine, counts = np.unique(slots.place[train], return_counts=True)
        mean, std = _moments(slots, mine, counts)
        if not std.any():
            return None
        y = torch.from_numpy(targets(problem).astype(np.float32))
        classes = is_class(problem)
        centre, spread = (torch.zeros(1), torch.ones(1)) if classes else _of_labels(y[train])
        weights = torch.zeros(len(y))
        weights[train] = torch.from_numpy(class_weights(problem).astype(np.float32))
        return cls(
            values=torch.from_numpy(slots.values),
            seen=torch.from_numpy(slots.seen),
            place=torch.from_numpy(slots.place),
            mean=torch.from_numpy(mean),
            scale=torch.from_numpy(np.where(std > 0, 1 / np.where(std > 0, std, 1), 0)),
            told=torch.from_numpy(told),
            y=(y - centre) / spread,
            classes=classes,
            weights=weights,
            centre=centre,
            spread=spread,
        )

    def read(self, readout: _Readouts, rows: Tensor) -> Tensor:
        """What readouts say of some windows: (p, b, outputs)."""
        where = self.place[rows]
        found: Tensor = readout(self.values[where], self.seen[where], self.told[rows])
        return found

    def loss(self, found: Tensor, rows: Tensor) -> Tensor:
        """Summed over windows, of each penalty: (p,)."""
        y, weights = self.y[rows].expand_as(found), self.weights[rows]
        if self.classes:
            each = -(y * functional.log_softmax(found, dim=2)).sum(dim=2)
        else:
            each = (found - y).square().sum(dim=2) / 2
        return (weights * each).sum(dim=1)

    @torch.inference_mode()
    def losses(self, readout: _Readouts, rows: Index) -> Values:
        """The same over many windows."""
        parts = _batches(torch.from_numpy(rows))
        total = sum(self.loss(self.read(readout, part), part).double() for part in parts)
        return np.asarray(total)

    @torch.inference_mode()
    def said(self, readout: _Readouts, rows: Index) -> Values:
        """What the first readout says of windows: probabilities, or values as the labels are."""
        parts = _batches(torch.from_numpy(rows))
        found = torch.cat([self.read(readout, part)[0] for part in parts]).double()
        if self.classes:
            return found.softmax(dim=1).numpy()
        return (found * self.spread + self.centre).numpy()


def _batches(rows: Tensor) -> tuple[Tensor, ...]:
    return torch.split(rows, _BATCH)


def _moments(slots: Slots, mine: Index, counts: Index) -> tuple[Float32, Float32]:
    """Mean and deviation of each dimension over the slots that are seen, windows by their count."""
    weights = (slots.seen[mine] * counts[:, None]).ravel().astype(np.float64)
    weights /= weights.sum()
    values = slots.values[mine].reshape(len(weights), -1)
    mean = np.einsum("r,rd->d", weights, values)
    square = np.einsum("r,rd,rd->d", weights, values, values)
    std = np.sqrt(np.maximum(square - np.square(mean), 0))
    return mean.astype(np.float32), np.where(std > 1e-6, std, 0).astype(np.float32)


def _of_labels(y: Tensor) -> tuple[Tensor, Tensor]:
    spread = y.std(dim=0, correction=0)
    return y.mean(dim=0), torch.where(spread > 0, spread, torch.ones(()))


def _fitted(data: _Data, rows: Index, penalties: list[float], config: ProbeConfig) -> _Readouts:
    """Readouts of these penalties, fitted on these windows."""
    draw = torch.Generator().manual_seed(int(seeded(config.seed, 13).integers(2**31)))
    readout = _Readouts(data, len(penalties), draw)
    share = torch.tensor(penalties) / len(rows)
    steps = config.attentive_epochs * -(-len(rows) // _BATCH)
    optimizer = torch.optim.Adam(readout.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    all_rows = torch.from_numpy(rows)
    for _ in range(config.attentive_epochs):
        for batch in _batches(all_rows[torch.randperm(len(rows), generator=draw)]):
            fit = data.loss(data.read(readout, batch), batch) / len(batch)
            optimizer.zero_grad()
            torch.autograd.backward((fit + share * readout.penalty()).sum())
            optimizer.step()
            schedule.step()
    return readout
