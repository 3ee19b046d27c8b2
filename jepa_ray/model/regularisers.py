"""Terms against collapse: VICReg, SIGReg, VISReg, as functions of projections.

Each takes values z [N, G, P] (windows, groups, dimensions) with weights [N, G] of 0 or 1, treats
the groups apart, and averages over those that have two windows or more. A group is a slot, or the
pooled window. Statistics run over the windows of all ranks (across.py).

What each says of values that are standard normal, and of values that are all zero:

| term | normal | zero | its gradient where all windows are alike |
|---|---|---|---|
| vicreg | about (P - 1) / n | 0.99 | bounded |
| sigreg | 1.05, whatever n | 0.402 n | vanishes |
| visreg | about 0.02 at n = 256 | 2 | large: it divides by the spread |

Sources: VICReg, arXiv 2105.04906; SIGReg, arXiv 2511.08544; VISReg, arXiv 2606.02572.
"""

import math

import torch
from torch import Tensor

from jepa_ray.model.across import gathered, rank, ranks, total

EPSILON = 1e-4
"""Added to variances before the root, so that its gradient stays finite."""

KNOTS = 17
REACH = 3.0
"""SIGReg integrates over [-3, 3], by the trapezoid rule with 17 knots on [0, 3]."""


def vicreg(z: Tensor, weights: Tensor) -> Tensor:
    """Variance hinge, and covariance off the diagonal.

    `mean_d relu(1 - sqrt(var_d + 1e-4)) + sum_{d != e} C_de^2 / P`.

    Args:
        z: [N, G, P].
        weights: [N, G], 0 or 1.

    Returns:
        A scalar, the mean over groups.
    """
    count = _count(weights)  # [G, 1]
    centred = _centred(z, weights, count)
    rows = centred.transpose(0, 1)  # [G, N, P]
    free = (count - 1).clamp(min=1)[:, :, None]
    covariance = total(rows.transpose(1, 2) @ rows) / free  # [G, P, P]
    variance = covariance.diagonal(dim1=1, dim2=2)  # [G, P]
    hinge = torch.relu(1 - torch.sqrt(variance + EPSILON)).mean(dim=1)
    shared = (covariance.square().sum(dim=(1, 2)) - variance.square().sum(dim=1)) / z.shape[-1]
    return _over_groups(hinge + shared, count)


def sigreg(z: Tensor, weights: Tensor, directions: Tensor) -> Tensor:
    """How far random projections are from normal: Epps-Pulley, scaled by the number of windows.

    `n * integral over [-3, 3] of |mean exp(itx) - exp(-t^2 / 2)|^2 exp(-t^2 / 2) dt`, mean over
    directions.

    Args:
        z: [N, G, P].
        weights: [N, G], 0 or 1.
        directions: [P, M], columns of length 1.

    Returns:
        A scalar, the mean over groups.
    """
    count = _count(weights)
    x = z @ directions  # [N, G, M]
    step = REACH / (KNOTS - 1)
    sums = [
        part
        for knot in range(1, KNOTS)  # at t = 0 the two agree
        for part in _characteristic(x * (knot * step), weights)
    ]
    real, imaginary = (
        (total(torch.stack(sums)) / count.clamp(min=1)).view(KNOTS - 1, 2, *x.shape[1:]).unbind(1)
    )
    t = torch.arange(1, KNOTS, device=z.device, dtype=z.dtype) * step
    normal = torch.exp(-t.square() / 2)[:, None, None]
    area = torch.full_like(t, 2 * step)
    area[-1] = step
    miss = (real - normal).square() + imaginary.square()  # [knots, G, M]
    statistic = (miss * normal * area[:, None, None]).sum(dim=0) * count
    return _over_groups(statistic.mean(dim=1), count)


def _characteristic(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over windows of cos and sin: two of [G, M]."""
    return (
        torch.einsum("ngm,ng->gm", x.cos(), weights),
        torch.einsum("ngm,ng->gm", x.sin(), weights),
    )


def visreg(z: Tensor, weights: Tensor, directions: Tensor) -> Tensor:
    """Mean, spread and shape apart: the spread pulls even where nearly nothing varies.

    `mean mu^2 + mean (1 - std)^2 + W2^2`; the last is the mean squared difference between sorted
    projections of the standardised dimensions and the quantiles of a normal, over directions.

    Args:
        z: [N, G, P].
        weights: [N, G], 0 or 1.
        directions: [P, M], columns of length 1.

    Returns:
        A scalar, the mean over groups.
    """
    count = _count(weights)
    mean = total(torch.einsum("ngp,ng->gp", z, weights)) / count.clamp(min=1)
    centred = (z - mean) * weights[..., None]
    variance = total(centred.square().sum(dim=0)) / count.clamp(min=1)
    std = torch.sqrt(variance + EPSILON)
    moments = mean.square().mean(dim=1) + (1 - std).square().mean(dim=1)  # [G]
    shape = _sliced_distance(centred / std, weights, count, directions)
    return _over_groups(moments + shape, count)


def _sliced_distance(z: Tensor, weights: Tensor, count: Tensor, directions: Tensor) -> Tensor:
    """Squared 2-Wasserstein distance to a normal, mean over directions: [G].

    Sorting needs all windows on one rank; each rank takes its share of the directions.
    """
    everywhere, seen = gathered(z), gathered(weights)  # [R, G, P], [R, G]
    x = everywhere @ directions[:, rank() :: ranks()]  # [R, G, M']
    x = x.masked_fill(seen[..., None] == 0, torch.inf).sort(dim=0).values
    place = torch.arange(len(x), device=z.device, dtype=z.dtype)[:, None]
    inside = place < count[:, 0]  # [R, G]: the others are the infinite ones
    level = ((place + 0.5) / count[:, 0].clamp(min=1)).clamp(max=1)
    quantile = math.sqrt(2) * torch.erfinv(2 * level - 1)
    miss = torch.where(inside[..., None], x, 0) - torch.where(inside, quantile, 0)[..., None]
    squares = total(miss.square().sum(dim=(0, 2)))  # [G]
    return squares / count[:, 0].clamp(min=1) / directions.shape[1]


def _count(weights: Tensor) -> Tensor:
    """Windows of each group over all ranks: [G, 1]."""
    return total(weights.sum(dim=0))[:, None]


def _centred(z: Tensor, weights: Tensor, count: Tensor) -> Tensor:
    """Minus the group's mean; zero where the weight is: [N, G, P]."""
    mean = total(torch.einsum("ngp,ng->gp", z, weights)) / count.clamp(min=1)
    return (z - mean) * weights[..., None]


def _over_groups(values: Tensor, count: Tensor) -> Tensor:
    """Mean of [G] over the groups of two windows or more; 0 where there is none."""
    enough = (count[:, 0] >= 2).to(values.dtype)
    return (values * enough).sum() / enough.sum().clamp(min=1)
