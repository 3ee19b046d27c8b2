"""The order in which a pass meets its datasets: a function of its seed."""

from collections.abc import Sequence

import numpy as np

_ORDER = 1


def pass_order(names: Sequence[str], seed: int) -> list[str]:
    """The datasets of a pass, shuffled.

    Args:
        names: In any order, which does not matter.
        seed: Of the pass.
    """
    generator = np.random.default_rng(np.random.SeedSequence([seed, _ORDER]))
    return [sorted(names)[i] for i in generator.permutation(len(names))]
