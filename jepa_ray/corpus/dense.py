"""Sparse rows -> the dense batch, on the device that uses it: only the sparse rows travel there."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.windows import FEATURE_COUNT, POSITION_VALUES, POSITIONS, SLOTS, SparseWindows


def densify(windows: SparseWindows, device: torch.device | str) -> Tensor:
    """Dense float32 [n, 96, 16] on `device`; equal to `SparseWindows.densify` to the bit."""
    if torch.device(device).type == "cpu":
        return torch.from_numpy(windows.densify())
    return scatter(windows, device)


def scatter(windows: SparseWindows, device: torch.device | str) -> Tensor:
    """The same by torch on `device`; the CPU does not wait for a GPU."""
    n = len(windows)
    slots, runs = windows.scatter_indices()
    values = _moved(windows.values, device)
    if runs is not None:
        values = values[_moved(runs, device)]
    out = torch.zeros(n * SLOTS, FEATURE_COUNT, device=device)
    out[_moved(slots, device), POSITIONS:] = values
    out = out.view(n, SLOTS, FEATURE_COUNT)
    out[:, :, :POSITIONS] = _moved(POSITION_VALUES, device)[:, None]
    return out


def _moved(array: NDArray[np.generic], device: torch.device | str) -> Tensor:
    """An array on the device; a GPU takes it from pinned memory while the CPU goes on."""
    tensor = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
