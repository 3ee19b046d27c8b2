"""How much of what is scored lies on the training side as well, and what the rest says.

A split by windows parts uids, not contents: where a source repeats itself, a held-out window has
its like among those that were trained on. Loss and skill then tell of memory, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import EvaluateConfig
from jepa_ray.corpus import Samples
from jepa_ray.evaluate.passes import Predicted
from jepa_ray.evaluate.sums import Bootstrap, Rows, pair

OFTEN = 0.10
"""From this share on a warning tells of it."""


@dataclass(frozen=True)
class Unseen:
    """The scored windows that have no equal on a training side.

    Attributes:
        share: Of the scored windows, those that have one.
        numbers: Of the others: `windows`, `loss`, `skill`, `skill_interval`; None without any.
    """

    share: float
    numbers: dict[str, Any] | None

    @classmethod
    def of(
        cls,
        found: Predicted,
        seen: NDArray[np.bool_],
        groups: NDArray[np.integer],
        config: EvaluateConfig,
    ) -> "Unseen":
        """Of some windows.

        Args:
            found: Their hidden slots.
            seen: bool [n], which have an equal on a training side.
            groups: [n], their actors.
            config: Draws and seed of the resamples.
        """
        share = float(seen.mean())
        if seen.all():
            return cls(share, None)
        sums = Rows(found.of(~seen)).sums()
        bootstrap = Bootstrap(groups[~seen], draws=config.draws, seed=config.seed)
        numbers = {
            "windows": int((~seen).sum()),
            "loss": sums.loss,
            "skill": sums.skill,
            "skill_interval": pair(bootstrap.skill(sums)),
        }
        return cls(share, numbers)

    def document(self) -> dict[str, Any]:
        """As in evaluation.json."""
        return {"seen_in_training": self.share, "unseen": self.numbers}


def seen_often(samples: Samples) -> Iterator[str]:
    """A warning where windows of a dataset are often on both sides."""
    held_out, seen = samples.held_out, samples.seen(samples.held_out)
    often = [
        name
        for i, name in enumerate(samples.names)
        if (mine := seen[held_out.dataset == i]).size and mine.mean() >= OFTEN
    ]
    if often:
        yield (
            f"a tenth or more of the scored windows of {', '.join(often)} equal a training window, "
            "so loss and skill tell of memory, too: `seen_in_training` and `unseen` in "
            "evaluation.json say how much"
        )
