"""Many small raw items as one, on their way from a reader to a parser.

A row for each mail in the blocks that travel between tasks costs more than reading the mail.
"""

import struct
from collections.abc import Iterable, Iterator

from jepa_ray.readers.raw import ITEM_BYTES, RawDefect, RawItem

PACK_BYTES = 256 << 10
_NAME = "\0"
"""Of a pack; the path of a file cannot hold it."""
_COUNT = struct.Struct("<I")


def packed(items: Iterable[RawItem | RawDefect]) -> Iterator[RawItem | RawDefect]:
    """Join neighbours into packs of about `PACK_BYTES`, names counted; defects stay in their place.

    Args:
        items: Numbered one after the other, defects too.
    """
    waiting: list[RawItem] = []
    size = 0
    for item in items:
        if isinstance(item, RawItem):
            waiting.append(item)
            size += ITEM_BYTES + len(item.name) + len(item.data)
            if size < PACK_BYTES:
                continue
        if waiting:
            yield _pack(waiting)
            waiting, size = [], 0
        if isinstance(item, RawDefect):
            yield item
    if waiting:
        yield _pack(waiting)


def unpacked(items: Iterable[RawItem]) -> Iterator[RawItem]:
    """The items of some packs, as they were; what is no pack comes as it is."""
    for item in items:
        if item.name != _NAME:
            yield item
            continue
        data = item.data
        (count,) = _COUNT.unpack_from(data)
        sizes = struct.unpack_from(f"<{2 * count}Q", data, _COUNT.size)
        at = _COUNT.size + 16 * count
        numbers = range(item.number, item.number + count)
        for number, name, content in zip(numbers, sizes[::2], sizes[1::2], strict=True):
            end = at + name
            yield RawItem(
                number, data[at:end].decode("utf-8", "surrogateescape"), data[end : end + content]
            )
            at = end + content


def _pack(items: list[RawItem]) -> RawItem:
    parts: list[bytes] = []
    for _, name, data in items:
        parts += (name.encode("utf-8", "surrogateescape"), data)
    sizes = struct.pack(f"<{len(parts)}Q", *map(len, parts))
    return RawItem(items[0].number, _NAME, b"".join((_COUNT.pack(len(items)), sizes, *parts)))
