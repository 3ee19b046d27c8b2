"""Sequential mixing: the steps of a training cut into legs, one a dataset.

All legs have equally many steps, whatever the size of their dataset (decision 0012). Optimiser,
target encoder and schedules know nothing of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from jepa_ray.config.training import TrainConfig
from jepa_ray.errors import ConfigError

SEQUENTIAL = "sequential"


class Leg(NamedTuple):
    """Steps on one dataset.

    Attributes:
        dataset: Its name.
        end: The step behind its last, counted from 0: so many steps are done when it ends.
    """

    dataset: str
    end: int


def in_order(names: Sequence[str], config: TrainConfig) -> tuple[str, ...]:
    """The names of datasets, each once, as a training keeps them.

    Sequential: as they are given. Interleaved: sorted, so that their order does not reach the
    numbers.
    """
    return tuple(dict.fromkeys(names if config.mixing == SEQUENTIAL else sorted(names)))


def cut_legs(names: Sequence[str], config: TrainConfig) -> tuple[Leg, ...]:
    """The legs of a training, in the order of `names`; () where it is interleaved.

    Where the steps cannot be shared out evenly, the first legs have one more.

    Raises:
        ConfigError: There are fewer steps than datasets.
    """
    if config.mixing != SEQUENTIAL:
        return ()
    steps, count = config.steps, len(names)
    if steps < count:
        raise ConfigError(
            f"steps is {steps}, and mixing=sequential needs one at least for each of the {count} "
            f"datasets ({', '.join(names)}); set more steps, name fewer datasets, or set "
            "mixing=interleaved"
        )
    each, more = divmod(steps, count)
    return tuple(Leg(name, (i + 1) * each + min(i + 1, more)) for i, name in enumerate(names))
