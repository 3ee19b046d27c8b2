"""The same network written the long way: no fused qkv, softmax spelled out, no shortcuts."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from jepa_ray.model import ScheduleJEPA

Weights = dict[str, Tensor]


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


def encode(model: ScheduleJEPA, name: str, x: Tensor, slots: Tensor) -> Tensor:
    """One window: x [96, 16], slots [V] -> [V, D]."""
    w = model.state_dict()
    tokens = linear(w, f"{name}.embed", x[slots]) + w[f"{name}.positions"][slots]
    for i in range(model.config.layers):
        tokens = block(w, f"{name}.blocks.{i}", tokens, model.config.heads)
    return norm(w, f"{name}.norm", tokens)


def predict(model: ScheduleJEPA, x: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
    """One window: [H, D]."""
    w = model.state_dict()
    context = encode(model, "context_encoder", x, visible)
    positions = w["predictor.positions"]
    asked = w["predictor.mask_token"].expand(len(hidden), -1) + positions[hidden]
    tokens = torch.cat([context + positions[visible], asked])
    for i in range(model.config.predictor_layers):
        tokens = block(w, f"predictor.blocks.{i}", tokens, model.config.heads)
    return linear(w, "predictor.head", norm(w, "predictor.norm", tokens)[len(visible) :])
