"""The peer of bench_train_step.py: the same model from `nn.TransformerEncoder`, nothing clever.

Same widths, same initial weights, same masks, same loss; only written as one would at first.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jepa_ray.config import ModelConfig
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import FEATURE_COUNT, SLOTS


def transformer(config: ModelConfig, layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        config.d_model,
        config.heads,
        config.mlp,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    norm = nn.LayerNorm(config.d_model)
    return nn.TransformerEncoder(layer, layers, norm, enable_nested_tensor=False)


class PlainEncoder(nn.Module):
    """Slots -> tokens."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(FEATURE_COUNT, config.d_model)
        self.positions = nn.Parameter(torch.zeros(SLOTS, config.d_model))
        self.transformer = transformer(config, config.layers)

    def forward(self, x: Tensor, slots: Tensor | None = None) -> Tensor:
        """Tokens of the given slots, or of all: [B, V, D]."""
        tokens = self.embed(x) + self.positions
        if slots is not None:
            tokens = gather(tokens, slots)
        out: Tensor = self.transformer(tokens)
        return out


class PlainJEPA(nn.Module):
    """The network of preset `reference`; `forward` gives the loss."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.context_encoder = PlainEncoder(config)
        self.target_encoder = copy.deepcopy(self.context_encoder).requires_grad_(False)
        self.positions = nn.Parameter(torch.zeros(SLOTS, config.d_model))
        self.mask_token = nn.Parameter(torch.zeros(config.d_model))
        self.predictor = transformer(config, config.predictor_layers)
        self.head = nn.Linear(config.d_model, config.d_model)

    def forward(self, x: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
        """The loss, a scalar."""
        context = self.context_encoder(x, visible)
        with torch.no_grad():
            targets = gather(self.target_encoder(x), hidden)
        asked = self.mask_token + self.positions[hidden]
        tokens = self.predictor(torch.cat([context + self.positions[visible], asked], dim=1))
        return F.mse_loss(self.head(tokens[:, visible.shape[1] :]), targets)

    @torch.no_grad()
    def update_target(self, decay: float) -> None:
        """Move the target encoder, weight by weight."""
        sides = self.target_encoder.parameters(), self.context_encoder.parameters()
        for target, context in zip(*sides, strict=True):
            target.mul_(decay).add_(context, alpha=1 - decay)


def gather(x: Tensor, slots: Tensor) -> Tensor:
    return x.gather(1, slots.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


_BLOCK = {
    "norm1": "norm1",
    "norm2": "norm2",
    "qkv": "self_attn.in_proj_",
    "out": "self_attn.out_proj",
    "up": "linear1",
    "down": "linear2",
}


def with_weights_of(model: ScheduleJEPA) -> PlainJEPA:
    """The plain model that computes what `model` does."""
    plain = PlainJEPA(model.config)
    plain.load_state_dict({_plain_name(k): v for k, v in model.state_dict().items()})
    return plain


def _plain_name(name: str) -> str:
    side, *rest = name.split(".")
    if rest[0] == "blocks":
        part, kind = _BLOCK[rest[2]], rest[3]
        inner = f"{part}{kind}" if part.endswith("_") else f"{part}.{kind}"
        owner = "predictor" if side == "predictor" else f"{side}.transformer"
        return f"{owner}.layers.{rest[1]}.{inner}"
    if side == "predictor":
        return ".".join(["predictor", *rest] if rest[0] == "norm" else rest)
    return ".".join([side, "transformer", *rest] if rest[0] == "norm" else [side, *rest])
