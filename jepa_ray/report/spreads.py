"""Intervals over passes, as a reader may take them.

A t-interval supposes values that spread evenly on both sides and know no bound. With few passes it
reaches where nothing can be: a loss below 0, a RankMe below 1. Cutting it there loses nothing: what
it should hold cannot lie beyond. Of two passes it is 9 times as wide as they lie apart, and says
nothing; so below three passes there is none.
"""

import math

FEWEST = 3
"""Passes from which there is an interval."""
_LOSS, _SHARE, _RANK = (0.0, math.inf), (-math.inf, 1.0), (1.0, math.inf)
BOUNDS = {
    "val_loss": _LOSS,
    "loss": _LOSS,
    "untrained_loss": _LOSS,
    "slot_std": _LOSS,
    "untrained_slot_std": _LOSS,
    "skill": _SHARE,
    "reduction": _SHARE,
    "rankme": _RANK,
    "untrained_rankme": _RANK,
    "cosine_to_mean": (-1.0, 1.0),
    "cka_with_untrained": (0.0, 1.0),
}
"""What each number can be; one that is not named knows no bound."""


def interval(number: str, low: float, high: float, passes: int) -> tuple[float, float] | None:
    """The interval of a number over passes, cut to what is possible; None below three passes.

    Args:
        number: Its name in the result files.
        low: Of the t-interval.
        high: Of the t-interval.
        passes: How many it is over.
    """
    if passes < FEWEST:
        return None
    least, most = BOUNDS.get(number, (-math.inf, math.inf))
    return max(low, least), min(high, most)


def spread_of_two(mean: float, std: float) -> tuple[float, float]:
    """The lower and the higher of two values, by their mean and sample standard deviation."""
    half = std / math.sqrt(2)
    return mean - half, mean + half
