"""Which slots are hidden: a pure function of (seed, step, row).

What is unusual:

- Counter-based (counters.py): row i is the same for any number of workers and any batch size, so a
  rank draws the whole batch and keeps its rows, and a resumed run has no state.
- The number of hidden slots is the same for all windows of a step, whatever their kinds: shapes are
  static, nothing is cut. With `max_ratio` it differs from step to step.
- Each window has a mask of its own, and in a mixture a kind of its own.

Spans and blocks never wrap around midnight, so slots at both ends of the day are hidden less often
than noon.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from jepa_ray.config import MaskConfig
from jepa_ray.errors import ConfigError
from jepa_ray.model.counters import Int64, Purpose, below, words
from jepa_ray.model.mask_kinds import Hidden, choose, kinds
from jepa_ray.windows import SLOTS

MIXTURE = "mixture"


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
        ConfigError: The kind is unknown.
    """
    count = hidden_count(config, seed=seed, step=step)
    known = kinds(config)
    hidden: Hidden = np.empty((batch, SLOTS), np.bool_)
    of_row = mask_kinds(config, seed=seed, step=step, batch=batch)
    for name in np.unique(of_row):
        kind = known[str(name)]
        drawn = words(kind.purpose, seed=seed, step=step, rows=batch, width=kind.width)
        rows = of_row == name
        hidden[rows] = kind.hidden(drawn[rows], count)
    return Masks(
        visible=np.nonzero(~hidden)[1].reshape(batch, SLOTS - count),
        hidden=np.nonzero(hidden)[1].reshape(batch, count),
    )


def mask_kinds(config: MaskConfig, *, seed: int, step: int, batch: int) -> NDArray[np.str_]:
    """The kind of each window's mask in `draw_masks` of the same arguments: str [B].

    Raises:
        ConfigError: The kind, or one of the mixture's, is unknown.
    """
    known = list(kinds(config))
    names = list(config.weights) if config.kind == MIXTURE else [config.kind]
    for name in names:
        if name not in known:
            allowed = ", ".join([*known, MIXTURE])
            raise ConfigError(f"mask.kind must be one of {allowed}; found '{name}'")
    if config.kind != MIXTURE:
        return np.full(batch, config.kind)
    drawn = words(Purpose.KIND, seed=seed, step=step, rows=batch, width=1)[:, 0]
    return np.array(known)[choose({str(k): w for k, w in config.weights.items()}, known, drawn)]


def hidden_count(config: MaskConfig, *, seed: int = 0, step: int = 0) -> int:
    """Hidden slots of a window at a step: the ratio of 96, rounded.

    With `max_ratio` it is drawn from (seed, step), uniformly between the two, both included. The
    settings see to it that one slot is hidden and one visible.
    """
    fewest = round(config.ratio * SLOTS)
    if config.max_ratio is None:
        return fewest
    most = round(config.max_ratio * SLOTS)
    drawn = words(Purpose.COUNT, seed=seed, step=step, rows=1, width=1)
    return fewest + int(below(most - fewest + 1, drawn)[0, 0])
