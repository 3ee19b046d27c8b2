"""The same model written the long way: no fused qkv, softmax spelled out, no shortcuts.

Encoders, predictor, loss, AdamW and EMA, on a dict of weights named as in `state_dict`.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from jepa_ray.config import ModelConfig
from jepa_ray.model import ScheduleJEPA
from jepa_ray.windows import SLOTS

Weights = dict[str, Tensor]


def weights_of(model: ScheduleJEPA) -> Weights:
    """Copies; those of the target encoder want no gradient."""
    return {
        name: value.detach().clone().requires_grad_(not name.startswith("target_encoder."))
        for name, value in model.state_dict().items()
    }


def norm(w: Weights, name: str, x: Tensor) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def attention(w: Weights, name: str, x: Tensor, heads: int) -> Tensor:
    width = x.shape[-1]
    q, k, v = linear(w, f"{name}.qkv", x).split(width, dim=-1)
    size = width // heads
    mixed = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = q[..., part] @ k[..., part].transpose(-1, -2) / math.sqrt(size)
        weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
        mixed.append(weights @ v[..., part])
    return linear(w, f"{name}.out", torch.cat(mixed, dim=-1))


def block(w: Weights, name: str, x: Tensor, heads: int) -> Tensor:
    x = x + attention(w, name, norm(w, f"{name}.norm1", x), heads)
    up = linear(w, f"{name}.up", norm(w, f"{name}.norm2", x))
    return x + linear(w, f"{name}.down", F.gelu(up))


def encode(w: Weights, config: ModelConfig, name: str, x: Tensor, slots: Tensor) -> Tensor:
    """One window: x [96, 16], slots [V] -> [V, D]."""
    tokens = linear(w, f"{name}.embed", x[slots]) + w[f"{name}.positions"][slots]
    for i in range(config.layers):
        tokens = block(w, f"{name}.blocks.{i}", tokens, config.heads)
    return norm(w, f"{name}.norm", tokens)


def predict(w: Weights, config: ModelConfig, x: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
    """One window: [H, D]."""
    context = encode(w, config, "context_encoder", x, visible)
    positions = w["predictor.positions"]
    asked = w["predictor.mask_token"].expand(len(hidden), -1) + positions[hidden]
    tokens = torch.cat([context + positions[visible], asked])
    for i in range(config.predictor_layers):
        tokens = block(w, f"predictor.blocks.{i}", tokens, config.heads)
    return linear(w, "predictor.head", norm(w, "predictor.norm", tokens)[len(visible) :])


def target(w: Weights, config: ModelConfig, x: Tensor, hidden: Tensor) -> Tensor:
    """One window: [H, D], without a gradient."""
    with torch.no_grad():
        return encode(w, config, "target_encoder", x, torch.arange(SLOTS))[hidden]


def loss(w: Weights, config: ModelConfig, x: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
    """Mean squared error of a batch."""
    errors = [
        predict(w, config, *row) - target(w, config, row[0], row[2])
        for row in zip(x, visible, hidden, strict=True)
    ]
    return torch.stack(errors).square().mean()


class Training:
    """AdamW and EMA, weight by weight."""

    def __init__(self, w: Weights, *, lr: float, weight_decay: float, ema: float) -> None:
        self.w = w
        self.lr, self.weight_decay, self.ema = lr, weight_decay, ema
        learned = {name: torch.zeros_like(v) for name, v in w.items() if v.requires_grad}
        self.mean, self.square = learned, {name: v.clone() for name, v in learned.items()}
        self.steps = 0

    def step(self, grads: Weights) -> None:
        self.steps += 1
        for name, grad in grads.items():
            self.mean[name] = 0.9 * self.mean[name] + 0.1 * grad
            self.square[name] = 0.999 * self.square[name] + 0.001 * grad**2
            mean = self.mean[name] / (1 - 0.9**self.steps)
            root = torch.sqrt(self.square[name] / (1 - 0.999**self.steps))
            old = self.w[name].detach()
            new = old * (1 - self.lr * self.weight_decay) - self.lr * mean / (root + 1e-8)
            self.w[name] = new.requires_grad_()
        for name in [n for n in self.w if n.startswith("target_encoder.")]:
            context = self.w[name.replace("target", "context")].detach()
            self.w[name] = self.ema * self.w[name] + (1 - self.ema) * context
