"""Many values at once: sizes by the quantiles of real samples, names, texts cut from a long one.

The quantile tables are aggregate figures; no text and no name of a sample is in them.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle
from random import Random

import numpy as np
from numpy.typing import NDArray

from jepa_ray.synth.population import words

_AT = np.array([0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0])
NAMES = 1 << 24
"""How many different logins there are."""
_SCATTER = 0x9E3779B1  # odd: one to one below a power of two
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeio"


def generator(seed: int, *part: int) -> np.random.Generator:
    """The generator of one part of one archive."""
    return np.random.default_rng(np.random.SeedSequence([seed, *part]))


def sizes(
    rng: np.random.Generator, quantiles: Sequence[float], count: int, most: int = 1 << 20
) -> NDArray[np.int64]:
    """Draw sizes.

    Args:
        rng: Decides them.
        quantiles: At 0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9 and 100 %.
        count: How many.
        most: None is above it.
    """
    logs = np.interp(rng.random(count), _AT, np.log1p(quantiles))
    return np.minimum(np.expm1(logs), most).astype(np.int64)


def popular(
    rng: np.random.Generator, population: int, exponent: float, count: int
) -> NDArray[np.int64]:
    """Draw numbers from 0 up, the low ones far more often: by a power law.

    Args:
        rng: Decides them.
        population: They stay below it.
        exponent: Above 0 and below 1; the higher, the fewer different ones.
        count: How many.
    """
    end = float(population) ** (1 - exponent)
    drawn = (rng.random(count) * (end - 1) + 1) ** (1 / (1 - exponent))
    numbers: NDArray[np.int64] = drawn.astype(np.int64) - 1
    return np.minimum(numbers, population - 1)


@cache
def _syllables() -> list[bytes]:
    pairs = [c + v for c in _CONSONANTS for v in _VOWELS]
    return [(a + b).encode() for a in pairs for b in pairs]


def login(number: int) -> bytes:
    """A name of eight letters, another one for each number below `NAMES`."""
    scattered = number * _SCATTER % NAMES
    syllables = _syllables()
    return syllables[scattered & 4095] + syllables[scattered >> 12]


class Texts:
    """Texts cut from one long made-up text, so that each costs a slice."""

    def __init__(
        self, rng: Random, pieces: dict[bytes, float], *, size: int = 1 << 18, gap: bytes = b" "
    ) -> None:
        """Make the long text.

        Args:
            rng: Decides it.
            pieces: What stands between its words now and then instead of `gap`: how often.
            size: Its length in bytes, about.
            gap: Between two words.
        """
        vocabulary = words(rng, size // 7).encode().split()
        share = sum(pieces.values())
        gaps = rng.choices([gap, *pieces], [1 - share, *pieces.values()], k=len(vocabulary))
        self._text = b"".join(part for pair in zip(vocabulary, gaps, strict=True) for part in pair)
        lengths = [len(w) + len(g) for w, g in zip(vocabulary, gaps, strict=True)]
        self._starts = np.cumsum([0, *lengths[:-1]])
        self._ends = self._starts + [len(word) for word in vocabulary]

    def draw(self, rng: np.random.Generator, lengths: NDArray[np.int64]) -> list[bytes]:
        """Texts of about these lengths, whole words; none is empty unless its length is 0."""
        room = int(
            np.searchsorted(self._starts, len(self._text) - int(lengths.max(initial=0)) - 64)
        )
        starts = self._starts[rng.integers(0, max(1, room), len(lengths))]
        last = np.minimum(np.searchsorted(self._ends, starts + lengths), len(self._ends) - 1)
        ends = np.where(lengths > 0, self._ends[last], starts)
        text = self._text
        return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]

    def endless(
        self, rng: np.random.Generator, quantiles: Sequence[float], stock: int = 2048
    ) -> Iterator[bytes]:
        """Texts of lengths by quantiles; after `stock` of them the same again."""
        most = len(self._text) // 2
        return cycle(self.draw(rng, sizes(rng, quantiles, stock, most)))
