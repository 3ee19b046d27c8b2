"""Random numbers without a state: a pure function of (seed, step, purpose, row).

Philox keyed by (seed, step); the purpose is the last word of its counter, so purposes never share
numbers. Raw 64-bit words are scaled by hand: NumPy promises their stream for ever, `integers` not.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Words = NDArray[np.uint64]


class Purpose(IntEnum):
    """What the numbers are for; the values are four letters and never change."""

    SPAN = 0x6D61736B
    """Starts of spans ("mask": it was the only kind once)."""
    COUNT = 0x636F756E
    KIND = 0x6B696E64
    BLOCKS = 0x626C6F63
    RANDOM = 0x72616E64
    SLOTS = 0x736C6F74
    DIRECTIONS = 0x64697265


def words(purpose: Purpose, *, seed: int, step: int, rows: int, width: int) -> Words:
    """Draw uint64 [rows, width].

    Args:
        purpose: Each has numbers of its own.
        seed: In [0, 2**63).
        step: In [0, 2**63).
        rows: More rows leave the first ones as they are.
        width: Words of a row.
    """
    bits = np.random.Philox(
        counter=np.array([0, 0, 0, purpose], np.uint64), key=np.array([seed, step], np.uint64)
    )
    return bits.random_raw(rows * width).reshape(rows, width)


def below(count: int | Int64, drawn: Words) -> Int64:
    """Scale words to 0..count-1: int64 of the same shape, uniform up to 2**-32; count < 2**31."""
    bound = np.asarray(count, np.uint64)
    return (((drawn >> np.uint64(32)) * bound) >> np.uint64(32)).astype(np.int64)


def distinct(count: int, chosen: Int64, drawn: Words) -> Int64:
    """Draw subsets without repetition; each subset of its size is equally likely.

    Args:
        count: Out of 0..count-1.
        chosen: int64 [R], how many in each row, at most `count` and the width of `drawn`.
        drawn: uint64 [R, W].

    Returns:
        int64 [R, W], rows ascending; what is beyond a row's number is `count`.

    Source:
        Floyd's sampling: Bentley and Floyd, "A sample of brilliance", CACM 30 (1987), 754-757.
    """
    rows, width = drawn.shape
    found = np.full((rows, width), count, np.int64)
    for i in range(width):
        last = count - chosen + i
        pick = below(np.maximum(last + 1, 1), drawn[:, i])
        taken = (found[:, :i] == pick[:, None]).any(axis=1)
        found[:, i] = np.where(i < chosen, np.where(taken, last, pick), count)
    found.sort(axis=1)
    return found
