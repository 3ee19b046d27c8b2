"""Windows of several kinds, always the same ones."""

import torch
from torch import Tensor

from jepa_ray.windows import FEATURE_COUNT, SLOTS


def empty_windows(count: int) -> Tensor:
    """All zero but for the two positions."""
    x = torch.zeros(count, SLOTS, FEATURE_COUNT)
    x[:, :, :2] = (torch.arange(SLOTS) / (SLOTS - 1))[:, None]
    return x


def uniform_windows(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(count, SLOTS, FEATURE_COUNT, generator=generator)


def single_slot_windows(count: int) -> Tensor:
    """As a record that is a moment: one slot active."""
    generator = torch.Generator().manual_seed(4)
    x = empty_windows(count)
    slots = torch.randint(SLOTS, (count,), generator=generator)
    x[torch.arange(count), slots, 2:] = torch.rand(count, 14, generator=generator)
    return x


def block_windows(count: int) -> Tensor:
    """Days of one long block each, so that a hidden slot follows from the visible ones."""
    generator = torch.Generator().manual_seed(5)
    x = empty_windows(count)
    for window in x:
        start = int(torch.randint(SLOTS - 40, (1,), generator=generator))
        kind = int(torch.randint(2, 9, (1,), generator=generator))
        window[start : start + 40, [kind, 14]] = 1.0
    return x
