"""What the forms of all result files share.

Lists are bounded: a result file is not a place for millions of numbers.
"""

from typing import Annotated, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")
Named = Annotated[dict[str, T], Meta(max_length=256)]
"""By dataset, task, arm or kind."""
Numbers = Annotated[list[float], Meta(max_length=4096)]
Some = Annotated[list[float], Meta(min_length=1, max_length=4096)]
"""Numbers, one at least."""
Ends = tuple[float, float] | None
"""Ends of an interval."""


class Spread(Struct):
    """A number over seeds."""

    mean: float
    low: float
    high: float
    n: int
    std: float = 0.0
