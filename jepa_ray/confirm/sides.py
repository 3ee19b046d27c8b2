"""Whether every dataset of a run has windows on both sides of its split."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import SplitKeys
from jepa_ray.corpus.parts import PartReader, parts_of
from jepa_ray.corpus.stored import KEYS, split_keys, usable_manifest
from jepa_ray.errors import CorpusError
from jepa_ray.storage import join
from jepa_ray.windows import NO_TIME

_KEY: dict[str, Callable[[SplitKeys], NDArray[Any]]] = {
    "random_resplit": lambda keys: keys.uid,
    "grouped": lambda keys: np.where(keys.group == 0, keys.uid, keys.group),
    "temporal": lambda keys: keys.start_us[keys.start_us != NO_TIME],
}
"""What decides on which side a window falls."""


def require_two_sides(
    processed_dir: str, names: Sequence[str], split: SplitConfig, seeds: Sequence[int]
) -> None:
    """See that every dataset has training and held-out windows, for any seed.

    The split gives each side one where the windows differ in what it looks at, so this reads a
    dataset only until it has seen two values.

    Raises:
        CorpusError: One has not; the message names dataset and seed.
    """
    for name in names:
        folder = join(processed_dir, name)
        seen: NDArray[Any] = np.zeros(0)
        parts = parts_of(folder, usable_manifest(folder, name))
        for _, table in PartReader().scan(parts, KEYS):
            seen = np.unique([*seen, *np.unique(_KEY[split.mode](split_keys(table)))[:2]])
            if len(seen) > 1:
                break
        else:
            raise CorpusError(
                f"{name}: with seed {seeds[0]}, as with any other, split.mode={split.mode} leaves "
                "one side without windows, for it cannot tell them apart; leave the dataset out "
                "with --dataset, or choose another train.split.mode"
            )
