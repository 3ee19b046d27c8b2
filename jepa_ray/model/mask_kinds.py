"""The kinds of masks: random words of a window -> which of its slots are hidden.

A kind is a function of the words of its windows and the number of hidden slots. All windows of a
step hide equally many.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import MaskConfig
from jepa_ray.model.counters import Int64, Purpose, Words, below, distinct
from jepa_ray.windows import SLOTS

Hidden = NDArray[np.bool_]


class Kind(NamedTuple):
    """How masks of a kind are drawn.

    Attributes:
        purpose: Whose random words it takes.
        width: Words of a window.
        hidden: (words uint64 [B, width], hidden slots) -> bool [B, 96], True where hidden.
    """

    purpose: Purpose
    width: int
    hidden: Callable[[Words, int], Hidden]


def kinds(config: MaskConfig) -> dict[str, Kind]:
    """Each kind by name, as the config has it."""
    return {
        "span": Kind(Purpose.SPAN, 1, _span),
        "blocks": Kind(Purpose.BLOCKS, 2 * config.max_blocks, _blocks),
        "future": Kind(Purpose.SPAN, 1, _future),
        "random": Kind(Purpose.RANDOM, SLOTS, _random),
    }


def _span(drawn: Words, count: int) -> Hidden:
    """Every start that keeps the span inside the day is equally likely."""
    starts = below(SLOTS - count + 1, drawn)  # [B, 1]
    slots = np.arange(SLOTS)
    return (slots >= starts) & (slots < starts + count)


def _blocks(drawn: Words, count: int) -> Hidden:
    """Two to `max_blocks` spans with a visible slot between any two.

    How many is uniform, as far as `count` hidden slots make so many. Given that, the sets of gaps
    between visible slots (before the first, after the last, 97 - count in all) in which the blocks
    stand are equally likely; independently, so are the ways to cut `count` into their lengths.
    """
    most = drawn.shape[1] // 2
    visible = SLOTS - count
    most_here = min(most, count, visible + 1)
    fewest = min(2, most_here)
    blocks = fewest + below(most_here - fewest + 1, drawn[:, 0])  # [B]
    gaps = distinct(visible + 1, blocks, drawn[:, most:])  # [B, most], beyond: visible + 1
    cuts = 1 + distinct(count - 1, blocks - 1, drawn[:, 1:most])  # [B, most - 1], beyond: count
    ends = np.concatenate([cuts, np.full((len(cuts), 1), count)], axis=1)
    starts = np.concatenate([np.zeros((len(cuts), 1), np.int64), cuts], axis=1)
    # Hidden slots before a block plus visible slots before it; empty blocks fall off the end.
    edges = np.zeros((len(drawn), SLOTS + 2), np.int8)
    rows = np.arange(len(drawn))
    for i in range(most):
        at = np.minimum(gaps[:, i], visible)
        real = i < blocks
        edges[rows, np.where(real, at + starts[:, i], SLOTS + 1)] += 1
        edges[rows, np.where(real, at + ends[:, i], SLOTS + 1)] -= 1
    return np.cumsum(edges[:, :SLOTS], axis=1, dtype=np.int8).astype(np.bool_)


def _future(drawn: Words, count: int) -> Hidden:
    """The last `count` slots: what is to come, seen from one time of the day."""
    last: Hidden = np.arange(SLOTS) >= SLOTS - count
    return np.broadcast_to(last, (len(drawn), SLOTS))


def _random(drawn: Words, count: int) -> Hidden:
    """Every set of `count` slots is equally likely."""
    hidden = np.zeros(drawn.shape, np.bool_)
    first = np.argpartition(drawn, count - 1, axis=1)[:, :count]
    np.put_along_axis(hidden, first, values=True, axis=1)
    return hidden


def choose(weights: Mapping[str, float], names: list[str], drawn: Words) -> Int64:
    """Draw a kind for each window: int64 [B], places in `names`; drawn uint64 [B]."""
    bounds = np.cumsum([weights.get(name, 0.0) for name in names])
    share = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53  # [0, 1)
    places: Int64 = np.searchsorted(bounds[:-1], share * bounds[-1], side="right")
    return places
