"""What is regularised against collapse: the context encoder's tokens, through a projector.

What is unusual:

- The embedding is the mean of the *target* encoder's tokens, which has no gradient: it is an EMA of
  the context encoder (or its copy). So the term pulls at the context encoder, and the target
  follows.
- Per slot: of some random slots a step, the tokens of those windows that see the slot. Statistics
  are taken over windows at one slot: tokens that depend on the slot only count as collapsed.
- Pooled: the mean of a window's visible tokens, which is what an embedding is, of what is seen.
- A projector stands before the term, for the tokens end in a LayerNorm and cannot be normal in all
  dimensions. Its BatchNorm takes its statistics over the chosen slots together, not slot by slot:
  how much windows differ is measured against how much slots do.

Letters in shapes: B windows of this rank, V visible, S slots, D d_model, P projector_out.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jepa_ray.config import ObjectiveConfig
from jepa_ray.model.across import total
from jepa_ray.model.counters import Purpose, distinct, words
from jepa_ray.model.layers import take_slots
from jepa_ray.model.network import full_precision
from jepa_ray.model.regularisers import sigreg, vicreg, visreg
from jepa_ray.windows import SLOTS


class BatchNorm(nn.Module):
    """Standardise each dimension over the windows and groups of all ranks, then scale and shift.

    There are no running statistics: nothing is projected but while training.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Normalise x [B, G, C]; only what weights [B, G] (0 or 1) count enters the statistics."""
        count = total(weights.sum()).clamp(min=1)
        mean = total(torch.einsum("bgc,bg->c", x, weights)) / count
        centred = x - mean
        variance = total(torch.einsum("bgc,bg->c", centred.square(), weights)) / count
        return centred * torch.rsqrt(variance + 1e-5) * self.weight + self.bias


class Projector(nn.Module):
    """Linear, BatchNorm, GELU, Linear: [B, G, D] -> [B, G, P]."""

    def __init__(self, width: int, config: ObjectiveConfig) -> None:
        super().__init__()
        self.up = nn.Linear(width, config.projector_hidden)
        self.norm = BatchNorm(config.projector_hidden)
        self.down = nn.Linear(config.projector_hidden, config.projector_out)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Project x [B, G, D]; weights [B, G] as for `BatchNorm`."""
        projected: Tensor = self.down(F.gelu(self.norm(self.up(x), weights)))
        return projected


class CollapseTerm(nn.Module):
    """The regulariser that the config names: the mean of its value per slot and pooled.

    Args:
        width: Of a token.
        config: Of the objective; it names a regulariser, and slots, pooled or both.
        seed: Of the slots and directions of a step, in [0, 2**63).
    """

    def __init__(self, width: int, config: ObjectiveConfig, *, seed: int) -> None:
        super().__init__()
        self.config = config
        self.seed = seed
        self.by_slot = Projector(width, config) if config.slots else None
        self.by_window = Projector(width, config) if config.pooled else None

    def forward(self, context: Tensor, visible: Tensor, step: int) -> Tensor:
        """Measure how far the windows of all ranks are from being told apart.

        Args:
            context: [B, V, D], the context encoder's tokens.
            visible: int64 [B, V], their slots.
            step: Decides on slots and directions, the same on all ranks.

        Returns:
            A scalar in float32 (float64 where the tokens are), whatever autocast says.
        """
        with torch.autocast(context.device.type, enabled=False):
            context = full_precision(context)
            terms = []
            if self.by_slot is not None:
                tokens, seen = tokens_at(context, visible, self.slots(step))
                terms.append(self._value(self.by_slot(tokens, seen), seen, step))
            if self.by_window is not None:
                pooled = context.mean(dim=1, keepdim=True)  # [B, 1, D]
                seen = pooled.new_ones(pooled.shape[:2])
                terms.append(self._value(self.by_window(pooled, seen), seen, step))
            return torch.stack(terms).mean()

    def slots(self, step: int) -> list[int]:
        """The slots of a step, ascending."""
        count = self.config.slots
        drawn = words(Purpose.SLOTS, seed=self.seed, step=step, rows=1, width=count)
        return [int(slot) for slot in distinct(SLOTS, np.array([count]), drawn)[0]]

    def _value(self, z: Tensor, weights: Tensor, step: int) -> Tensor:
        if self.config.regulariser == "vicreg":
            return vicreg(z, weights)
        term = {"sigreg": sigreg, "visreg": visreg}[self.config.regulariser]
        return term(z, weights, self._directions(step, like=z))

    def _directions(self, step: int, *, like: Tensor) -> Tensor:
        """Uniform on the sphere, the same on all ranks: [P, M]."""
        seed = int(words(Purpose.DIRECTIONS, seed=self.seed, step=step, rows=1, width=1)[0, 0] >> 1)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(like.shape[-1], self.config.directions, generator=generator)
        return F.normalize(drawn, dim=0).to(like)


def tokens_at(context: Tensor, visible: Tensor, slots: list[int]) -> tuple[Tensor, Tensor]:
    """Find the tokens of some slots.

    Args:
        context: [B, V, D].
        visible: int64 [B, V], their slots.
        slots: S wanted ones.

    Returns:
        Tokens [B, S, D], and weights [B, S]: 1 where the window sees the slot. Where it is 0, the
        token is any of the window's.
    """
    wanted = torch.tensor(slots, device=visible.device)
    match = (visible[:, None, :] == wanted[None, :, None]).to(context.dtype)  # [B, S, V]
    return take_slots(context, match.argmax(dim=2)), match.amax(dim=2)
