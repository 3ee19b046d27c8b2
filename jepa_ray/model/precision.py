"""Number formats and fusion of the step."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch

from jepa_ray.model.objectives import Objective

Precision = Literal["auto", "fp32", "bf16"]


def resolved(precision: Precision, device: torch.device) -> Literal["fp32", "bf16"]:
    """What `auto` means: bf16 on a GPU that computes it natively, else fp32."""
    if precision != "auto":
        return precision
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if native else "fp32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """The context of the forward pass."""
    if resolved(precision, device) == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def compiled(objective: Objective) -> Objective:
    """Let torch.compile fuse the objective, in place."""
    objective.compile()
    return objective
