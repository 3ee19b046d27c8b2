"""What to log beside the loss: a low loss alone proves nothing.

Streaming accumulators in float64, one pass, no global state. A collapsed network has a loss near
zero, so every moment is built around running means (Chan's update): constant input gives zero, not
the rounding error of a difference of large sums.

What is unusual:

- The constant that `skill` competes with is fitted on the very windows it is scored on, per slot
  and dimension. Few windows flatter the constant, never the model.
- Below a relative size of 1e-6 (float32 noise) variation counts as none: skill is 0, RankMe 1.

Source: RankMe, arXiv 2210.02885; linear CKA, arXiv 1905.00414.
"""

from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from jepa_ray.windows import SLOTS

NOISE = 1e-6
"""Variation of this size relative to the values themselves is rounding in float32."""

MAX_ROWS = 20_000


@dataclass(frozen=True)
class Monitors:
    """The numbers of one validation.

    Attributes:
        loss: MSE over hidden slots and dimensions.
        skill: 1 - loss / loss of the best constant per slot; 1 is perfect, <= 0 is worthless.
        slot_std: Mean over slots and dimensions of the std over windows; 0 is collapse.
        rankme: Effective rank of the pooled embeddings, 1 to D.
        cosine_to_mean: Mean cosine of a pooled embedding to the mean one; 1 is collapse.
    """

    loss: float
    skill: float
    slot_std: float
    rankme: float
    cosine_to_mean: float

    def as_dict(self) -> dict[str, float]:
        """The fields by name."""
        return asdict(self)


@dataclass(eq=False)
class _SlotMoments:
    """Running count, mean and sum of squared deviations per slot and dimension (Chan)."""

    count: Tensor  # float64 [96, 1]
    mean: Tensor  # float64 [96, D]
    m2: Tensor  # float64 [96, D]

    @classmethod
    def like(cls, values: Tensor) -> "_SlotMoments":
        width = values.shape[-1]
        zeros = torch.zeros(SLOTS, width, dtype=torch.float64, device=values.device)
        return cls(zeros[:, :1].clone(), zeros, zeros.clone())

    def update(self, values: Tensor, seen: Tensor) -> None:
        """Add float64 values [B, 96, D] where seen, float64 [B, 96, 1], is 1; zeros elsewhere."""
        count = seen.sum(0)
        mean = values.sum(0) / count.clamp(min=1)
        m2 = ((values - mean) * seen).square().sum(0)
        total = (self.count + count).clamp(min=1)
        shift = mean - self.mean
        self.mean = self.mean + shift * (count / total)
        self.m2 = self.m2 + m2 + shift.square() * (self.count * count / total)
        self.count = self.count + count


@dataclass(eq=False)
class SkillMeter:
    """Loss, and how much of the best constant's loss it saves."""

    _moments: _SlotMoments | None = None
    _values: int = 0
    _sse: float = 0.0
    _energy: float = 0.0

    def update(self, predictions: Tensor, targets: Tensor, hidden: Tensor) -> None:
        """Add a batch.

        Args:
            predictions: [B, H, D].
            targets: [B, H, D].
            hidden: int64 [B, H], which slots these are; distinct within a window.
        """
        targets = targets.detach().double()
        self._values += targets.numel()
        self._sse += float((predictions.detach().double() - targets).square().sum())
        self._energy += float(targets.square().sum())
        batch, _, width = targets.shape
        # Scattered to all slots, not index_add: the same sum on every run, on a GPU too.
        dense = targets.new_zeros(batch, SLOTS, width)
        dense.scatter_(1, hidden.unsqueeze(-1).expand_as(targets), targets)
        seen = targets.new_zeros(batch, SLOTS).scatter_(1, hidden, 1.0).unsqueeze(-1)
        self._moments = self._moments or _SlotMoments.like(targets)
        self._moments.update(dense, seen)

    @property
    def loss(self) -> float:
        """MSE over everything seen.

        Raises:
            ValueError: Nothing was seen.
        """
        if not self._values:
            raise ValueError("a meter without a batch has no value")
        return self._sse / self._values

    @property
    def skill(self) -> float:
        """1 - SSE / SSE of the best constant per slot.

        The constant of a slot is the mean of its targets over the windows that hid it. Where the
        targets do not vary at all (relative std below 1e-6) there is nothing to explain and skill
        is 0.0, however small the loss: such a network has collapsed.

        Raises:
            ValueError: Nothing was seen.
        """
        if self._moments is None:
            raise ValueError("a meter without a batch has no value")
        constant = float(self._moments.m2.sum())
        if constant <= NOISE**2 * self._energy:
            return 0.0
        return 1.0 - self._sse / constant


@dataclass(eq=False)
class EmbeddingMeter:
    """Spread of the target tokens: does the network still tell windows apart?

    Attributes:
        max_rows: Pooled embeddings kept, the first ones; all windows enter the other numbers.
    """

    max_rows: int = MAX_ROWS
    _moments: _SlotMoments | None = None
    _rows: list[Tensor] = field(default_factory=list)
    _kept: int = 0
    _sum: Tensor | None = None  # float64 [3, D]: of embeddings, their directions, their sizes
    _windows: int = 0

    def update(self, tokens: Tensor) -> None:
        """Add the tokens [B, 96, D] of B windows, at all slots."""
        tokens = tokens.detach().double()
        self._moments = self._moments or _SlotMoments.like(tokens)
        self._moments.update(tokens, tokens.new_ones(len(tokens), SLOTS, 1))
        pooled = tokens.mean(dim=1)  # [B, D]
        sums = torch.stack([pooled.sum(0), F.normalize(pooled).sum(0), pooled.abs().sum(0)])
        self._sum = sums if self._sum is None else self._sum + sums
        self._windows += len(tokens)
        kept = pooled[: self.max_rows - self._kept].cpu()
        self._kept += len(kept)
        self._rows.append(kept)

    @property
    def pooled(self) -> Tensor:
        """The kept embeddings, means over slots: float64 [N, D] on the CPU.

        Raises:
            ValueError: Nothing was seen.
        """
        if not self._rows:
            raise ValueError("a meter without a batch has no value")
        return torch.cat(self._rows)

    @property
    def slot_moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance over windows, at each slot: float64 [96, D] each.

        Raises:
            ValueError: Nothing was seen.
        """
        if self._moments is None:
            raise ValueError("a meter without a batch has no value")
        return self._moments.mean, self._moments.m2 / self._moments.count.clamp(min=1)

    @property
    def slot_std(self) -> float:
        """Mean over slots and dimensions of the std over windows; catches positional collapse.

        Raises:
            ValueError: Nothing was seen.
        """
        if self._moments is None:
            raise ValueError("a meter without a batch has no value")
        return float((self._moments.m2 / self._moments.count.clamp(min=1)).sqrt().mean())

    @property
    def cosine_to_mean(self) -> float:
        """Mean over windows of cos(pooled embedding, mean embedding).

        1.0 if all are equal; 0.0 if they cancel out.

        Raises:
            ValueError: Nothing was seen.
        """
        if self._sum is None:
            raise ValueError("a meter without a batch has no value")
        mean, direction, size = self._sum
        if not size.any():
            return 1.0  # all embeddings are zero, hence equal
        return float(direction @ F.normalize(mean, dim=0)) / self._windows

    @property
    def rankme(self) -> float:
        """Effective rank: exp of the entropy of the centred embeddings' singular values, 1.0 to D.

        Raises:
            ValueError: Nothing was seen.
        """
        p = _spectrum(self.pooled)
        p = p / p.sum()
        return float(torch.special.entr(p).sum().exp())


def linear_cka(a: Tensor, b: Tensor) -> float:
    """Compare two embeddings of the same windows: centred linear CKA.

    Args:
        a: [N, D].
        b: [N, E], row i of the same window.

    Returns:
        0.0 to 1.0; 1.0 for embeddings equal up to rotation, scale and shift, 0.0 where one side
        does not vary.

    Raises:
        ValueError: The two have different numbers of rows.
    """
    if len(a) != len(b):
        raise ValueError(f"both sides need the same windows, found {len(a)} and {len(b)}")
    if not (_varies(a) and _varies(b)):
        return 0.0
    # Scaled to largest value 1, so that no fourth power over- or underflows.
    a, b = (x / x.abs().max() for x in (_centred(a), _centred(b)))
    shared = (a.T @ b).square().sum()
    return float(shared / (torch.linalg.norm(a.T @ a) * torch.linalg.norm(b.T @ b)))


def _centred(x: Tensor) -> Tensor:
    x = x.detach().double()
    return x - x.mean(dim=0)


def _varies(x: Tensor) -> bool:
    """Whether rows differ by more than rounding; false for fewer than two."""
    if len(x) < 2:
        return False
    spread = torch.linalg.norm(_centred(x))
    return bool(spread > NOISE * torch.linalg.norm(x.detach().double()))


def _spectrum(pooled: Tensor) -> Tensor:
    """Singular values of the centred rows, largest 1; [1.0] where the rows do not vary."""
    if not _varies(pooled):
        return torch.ones(1, dtype=torch.float64)
    values: Tensor = torch.linalg.svdvals(_centred(pooled))
    return values / values[0]
