"""Ridge regression in closed form, float64.

Source: Hoerl and Kennard, Technometrics 12 (1970), 55-67.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.model.monitors import NOISE

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaler:
    """Features in units of their spread; one that does not vary becomes 0.

    Attributes:
        mean, std: float64 [F]; std is infinite where there is none.
    """

    mean: Floats
    std: Floats

    @classmethod
    def of(cls, x: Floats) -> "Scaler":
        """By the rows x [n, F]."""
        mean, std = x.mean(axis=0), x.std(axis=0)
        size = np.sqrt(np.square(x).mean(axis=0))
        return cls(mean, np.where(std > NOISE * np.maximum(size, 1e-300), std, np.inf))

    def scaled(self, x: Floats) -> Floats:
        """[n, F]."""
        return (x - self.mean) / self.std


def weights(x: Floats, y: Floats, penalty: float) -> Floats:
    """Minimise |y - x w|^2 + penalty |w|^2.

    Args:
        x: [n, F], n may be 0: then all weights are 0.
        y: [n, T].
        penalty: Above 0: as strong as so many rows of features that are one and say nothing.

    Returns:
        float64 [F, T].
    """
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += penalty
    return np.linalg.solve(gram, x.T @ y).astype(np.float64)
