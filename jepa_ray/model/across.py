"""Sums and rows over all ranks, with a gradient; the identity where there is one process.

A statistic of the global batch is the same number on every rank. Its gradient comes back summed
over ranks, and DDP then divides by their number: together that is the gradient of one process that
holds the whole batch. Works wherever torch.distributed does (gloo, NCCL); SyncBatchNorm knows no
CPU.
"""

from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


def ranks() -> int:
    """How many processes share the batch."""
    return dist.get_world_size() if _together() else 1


def rank() -> int:
    """Which of them this one is."""
    return dist.get_rank() if _together() else 0


def total(x: Tensor) -> Tensor:
    """Sum over ranks; any shape, the same on all ranks."""
    if ranks() == 1:
        return x
    summed: Tensor = _Total.apply(x)  # type: ignore[no-untyped-call]
    return summed


def gathered(x: Tensor) -> Tensor:
    """Rows of all ranks, in their order: [N, ...] -> [ranks * N, ...]; equally many on each."""
    if ranks() == 1:
        return x
    rows: Tensor = _Gathered.apply(x)  # type: ignore[no-untyped-call]
    return rows


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        summed = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(_ctx: Any, *grads: Tensor) -> Tensor:
        return _Total.forward(None, grads[0])


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(ranks())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(_ctx: Any, *grads: Tensor) -> Tensor:
        return _Total.forward(None, grads[0]).chunk(ranks())[rank()]
