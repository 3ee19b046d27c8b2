"""Archives of any size, in pieces that can be made anywhere and in any order.

A piece is a function of what was ordered and of its number alone, so the bytes (before compression)
do not depend on who makes it or when. A piece is one gzip member; the file is all members in order,
which is one gzip stream. What is true to life and what is not: docs/synth.md.
"""

from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.piece import Checksum, Packed, Piece, gzip_member
from jepa_ray.synth.bulk.plan import BULK, Order, RawFile, ending, make, records_of, together

__all__ = [
    "BULK",
    "Checksum",
    "Expected",
    "Order",
    "Packed",
    "Piece",
    "RawFile",
    "ending",
    "gzip_member",
    "make",
    "records_of",
    "together",
]
