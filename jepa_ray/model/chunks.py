"""A mean over windows, computed some windows at a time.

A batch of 512 is larger than a CPU's cache: every operation then waits for memory. Here a few
windows go forward and at once backward, while what they need still lies in the cache. The gradients
are kept until the caller's `backward` asks for them, so DDP and hooks see nothing unusual.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

MeanLoss = Callable[..., Tensor]
"""Rows of some tensors -> the mean loss over these rows, a scalar."""


def mean_by_chunks(
    loss: MeanLoss, inputs: Sequence[Tensor], parameters: Sequence[Tensor], *, rows: int
) -> Tensor:
    """The mean of `loss` over all rows, with its gradient.

    Args:
        loss: The mean over the rows that it is given.
        inputs: [B, ...] each, without a gradient; cut along their first dimension.
        parameters: All that `loss` depends on and that wants a gradient, in any order.
        rows: Of a chunk; the last one may be smaller.

    Returns:
        A scalar; equal to `loss(*inputs)` up to the order of sums.
    """
    if len(inputs[0]) <= rows:
        return loss(*inputs)
    mean: Tensor = _Chunked.apply(loss, inputs, rows, *parameters)  # type: ignore[no-untyped-call]
    return mean


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, loss: MeanLoss, inputs: Sequence[Tensor], rows: int, *parameters: Tensor
    ) -> Tensor:
        count = len(inputs[0])
        losses: list[Tensor] = []
        grads: list[Tensor] = []
        wanted = any(ctx.needs_input_grad)
        for start in range(0, count, rows):
            part = [x[start : start + rows] for x in inputs]
            with torch.set_grad_enabled(wanted):
                share = loss(*part) * (len(part[0]) / count)
            losses.append(share.detach())
            if wanted:
                found = list(torch.autograd.grad(share, parameters))
                if grads:
                    torch._foreach_add_(grads, found)
                else:
                    grads = found
        ctx.save_for_backward(*grads)
        return torch.stack(losses).sum()

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, None, *(grad * upstream[0] for grad in ctx.saved_tensors))
