"""The parts of the network: a block, the encoder, the predictor.

What is unusual:

- A last block is asked for some tokens only: keys and values are computed of all, the rest (query,
  projection, MLP) of those asked. The target encoder and the predictor need the hidden slots only,
  which saves a tenth of the step.
- Query, key and value are one matrix; its rows are cut where only some queries are asked.
- Weights are allocated, not drawn: `ScheduleJEPA` draws them.

Letters in shapes: B windows, N slots, V visible, H hidden, A asked, D d_model.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jepa_ray.config import ModelConfig
from jepa_ray.windows import FEATURE_COUNT, SLOTS


class Block(nn.Module):
    """A pre-norm transformer block: attention, then an MLP."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.d_model
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, config.mlp)
        self.down = nn.Linear(config.mlp, width)

    def forward(self, x: Tensor, asked: Tensor | None = None) -> Tensor:
        """Mix the tokens of each window.

        Args:
            x: [B, N, D].
            asked: int64 [B, A], tokens to compute; they attend to all. None: all.

        Returns:
            [B, A, D] in the order of `asked`, or [B, N, D].
        """
        d = x.shape[-1]
        normed = self.norm1(x)
        if asked is None:
            q, k, v = self.qkv(normed).chunk(3, dim=-1)  # each [B, N, D]
        else:
            x = take_slots(x, asked)
            weight, bias = self.qkv.weight, self.qkv.bias
            q = F.linear(take_slots(normed, asked), weight[:d], bias[:d])  # [B, A, D]
            k, v = F.linear(normed, weight[d:], bias[d:]).chunk(2, dim=-1)
        mixed = F.scaled_dot_product_attention(self._split(q), self._split(k), self._split(v))
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        mlp: Tensor = self.down(F.gelu(self.up(self.norm2(x))))
        return x + mlp

    def _split(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, heads, N, D / heads], a view."""
        b, n, d = x.shape
        return x.view(b, n, self.heads, d // self.heads).transpose(1, 2)


class Encoder(nn.Module):
    """Slots -> tokens."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(FEATURE_COUNT, config.d_model)
        self.positions = nn.Parameter(torch.empty(SLOTS, config.d_model))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model)

    def forward(
        self, x: Tensor, slots: Tensor | None = None, asked: Tensor | None = None
    ) -> Tensor:
        """Encode the given slots; the others do not enter any computation.

        Args:
            x: [B, 96, 16] windows.
            slots: int64 [B, V], which slots to see; None: all 96.
            asked: int64 [B, A], places among these whose tokens are wanted; the last block computes
                no others. None: all.

        Returns:
            [B, V, D] tokens in the order of `slots`, or [B, A, D] in the order of `asked`; of mean
            0 and variance 1 at initialisation.
        """
        if slots is None:
            tokens = self.embed(x) + self.positions  # [B, 96, D]
        else:
            tokens = self.embed(take_slots(x, slots)) + F.embedding(slots, self.positions)
        *inner, last = self.blocks
        for block in inner:
            tokens = block(tokens)
        normed: Tensor = self.norm(last(tokens, asked))
        return normed


class Predictor(nn.Module):
    """Context tokens -> the target tokens at the hidden slots."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.empty(SLOTS, config.d_model))
        self.mask_token = nn.Parameter(torch.empty(config.d_model))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.predictor_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.head = nn.Linear(config.d_model, config.d_model)

    def forward(self, context: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
        """Predict the hidden slots.

        Args:
            context: [B, V, D] tokens of the visible slots.
            visible: int64 [B, V].
            hidden: int64 [B, H].

        Returns:
            [B, H, D] in the order of `hidden`.
        """
        seen = context + F.embedding(visible, self.positions)
        asked = self.mask_token + F.embedding(hidden, self.positions)
        tokens = torch.cat([seen, asked], dim=1)  # [B, V + H, D]
        *inner, last = self.blocks
        for block in inner:
            tokens = block(tokens)
        places = torch.arange(visible.shape[1], tokens.shape[1], device=tokens.device)
        tokens = last(tokens, places.expand(len(tokens), -1))  # [B, H, D]
        predictions: Tensor = self.head(self.norm(tokens))
        return predictions


def take_slots(x: Tensor, slots: Tensor) -> Tensor:
    """Gather slots of each window: x [B, N, C], slots int64 [B, K] -> [B, K, C]."""
    b, n, c = x.shape
    rows = slots + torch.arange(0, b * n, n, device=slots.device)[:, None]
    # Whole rows at a time: on a CPU a third of the time of `gather`, which copies value by value.
    return x.reshape(b * n, c).index_select(0, rows.flatten()).view(b, slots.shape[1], c)
