"""Which slots are hidden: a pure function of (seed, step, row).

What is unusual:

- Counter-based (Philox keyed by seed and step): row i is the same for any number of workers and any
  batch size, so a rank draws the whole batch and keeps its rows, and a resumed run has no state.
- Raw 64-bit words are scaled by hand: NumPy promises their stream for ever, `integers` not.
- The number of hidden slots is the same for all windows: shapes are static, nothing is cut.

Every start of a span that keeps it inside the day is equally likely, so slots at both ends of the
day are hidden less often than noon.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from jepa_ray.config import MaskConfig
from jepa_ray.errors import ConfigError
from jepa_ray.windows import SLOTS

Int64 = NDArray[np.int64]

_STREAM = 0x6D61736B
"""Last word of the counter ("mask"): keeps us apart from other users of the key (seed, step)."""


class Masks(NamedTuple):
    """Slots of each window; both sorted, together every slot once.

    Attributes:
        visible: int64 [B, V].
        hidden: int64 [B, H], V + H = 96.
    """

    visible: Int64
    hidden: Int64

    def rows(self, rows: slice) -> "Masks":
        """The masks of some windows of the batch, such as `slice(rank, None, workers)`."""
        return Masks(self.visible[rows], self.hidden[rows])

    def tensors(self, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """(visible, hidden) as int64 tensors on `device`."""
        visible, hidden = (torch.from_numpy(np.ascontiguousarray(part)) for part in self)
        return visible.to(device, non_blocking=True), hidden.to(device, non_blocking=True)


def draw_masks(config: MaskConfig, *, seed: int, step: int, batch: int) -> Masks:
    """Draw the masks of one step, of whatever kind the config says.

    Args:
        config: Kind and ratio.
        seed: In [0, 2**63).
        step: In [0, 2**63); each has masks of its own.
        batch: Windows of the step over all workers.

    Returns:
        Row i depends on (config, seed, step, i) only.

    Raises:
        ConfigError: The kind is unknown, or the ratio leaves no visible or no hidden slot.
    """
    kinds = {"span": span_masks}
    if config.kind not in kinds:
        raise ConfigError(f"mask.kind must be one of {sorted(kinds)}, found '{config.kind}'")
    return kinds[config.kind](config, seed=seed, step=step, batch=batch)


def span_masks(config: MaskConfig, *, seed: int, step: int, batch: int) -> Masks:
    """Hide one contiguous span per window; arguments and errors as for `draw_masks`."""
    hidden = hidden_count(config)
    starts = _uniform(SLOTS - hidden + 1, seed=seed, step=step, size=batch)[:, None]  # [B, 1]
    before = np.arange(SLOTS - hidden)
    return Masks(
        visible=before + hidden * (before >= starts),
        hidden=starts + np.arange(hidden),
    )


def hidden_count(config: MaskConfig) -> int:
    """Hidden slots of a window: the ratio of 96, rounded.

    Raises:
        ConfigError: The ratio leaves no visible or no hidden slot.
    """
    hidden = round(config.ratio * SLOTS)
    if not 0 < hidden < SLOTS:
        raise ConfigError(
            f"mask.ratio {config.ratio} hides {hidden} of {SLOTS} slots; "
            f"at least one must be hidden and one visible"
        )
    return hidden


def _uniform(count: int, *, seed: int, step: int, size: int) -> Int64:
    """int64 [size], uniform on 0..count-1 up to 2**-32; count < 2**31."""
    bits = np.random.Philox(
        counter=np.array([0, 0, 0, _STREAM], np.uint64), key=np.array([seed, step], np.uint64)
    )
    high = bits.random_raw(size) >> np.uint64(32)
    return ((high * np.uint64(count)) >> np.uint64(32)).astype(np.int64)
