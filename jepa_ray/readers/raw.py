"""What a reader hands on: raw items, and the places where a stream could not be read."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class RawItem(NamedTuple):
    """A piece of a source that a parser can take by itself.

    Attributes:
        number: Of the first record in it, counted from 1 within the source (line, member, file).
        name: Name of the piece inside the source (a tar member), "" where there is none. Raw: it
            may carry a person's name and never leaves the adapter.
        data: The bytes.
    """

    number: int
    name: str
    data: bytes


class RawDefect(NamedTuple):
    """A record that a reader could not even cut out; it counts as one rejected record.

    Attributes:
        number: Of the record, counted like `RawItem.number`.
        slug: The kind of defect.
        detail: One sentence, no raw text.
    """

    number: int
    slug: str
    detail: str


RawBlock = list[RawItem | RawDefect]


def blocks_of(items: Iterable[RawItem | RawDefect], block_bytes: int) -> Iterator[RawBlock]:
    """Gather items into blocks of about `block_bytes`, in order; an item is never split."""
    block: RawBlock = []
    size = 0
    for item in items:
        block.append(item)
        size += len(item.data) if isinstance(item, RawItem) else 0
        if size >= block_bytes:
            yield block
            block, size = [], 0
    if block:
        yield block
