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
ITEM_BYTES = 64
"""What an item counts besides its name and data, and a defect: empty ones fill the memory too."""


def blocks_of(items: Iterable[RawItem | RawDefect], block_bytes: int) -> Iterator[RawBlock]:
    """Gather items into blocks of about `block_bytes`, in order; an item is never split."""
    block: RawBlock = []
    size = 0
    for item in items:
        block.append(item)
        size += ITEM_BYTES
        if isinstance(item, RawItem):
            size += len(item.name) + len(item.data)
        if size >= block_bytes:
            yield block
            block, size = [], 0
    if block:
        yield block


def slices(block: RawBlock, records: int) -> Iterator[RawBlock]:
    """Cut a block, by the numbers of its items, into pieces of about so many records at most.

    An item is never split, so a piece may have the records of one item more.
    """
    begin = 0
    for at, item in enumerate(block):
        if item.number - block[begin].number >= records:
            yield block[begin:at]
            begin = at
    yield block[begin:]
