"""Many small raw items as one, on their way from a reader to a parser.

A row for each mail in the blocks that travel between tasks costs more than reading the mail. Where
only the number of an item's last bytes matters, just that number travels.
"""

import struct
from collections.abc import Callable, Iterable, Iterator

from jepa_ray.readers.raw import ITEM_BYTES, RawDefect, RawItem

PACK_BYTES = 256 << 10
_NAME = "\0"
"""Of a pack; the path of a file cannot hold it."""
_COUNT = struct.Struct("<I")


def packed(
    items: Iterable[RawItem | RawDefect], spare: Callable[[bytes], int] = lambda _: 0
) -> Iterator[RawItem | RawDefect]:
    """Join neighbours into packs of about `PACK_BYTES`, names counted; defects stay in their place.

    Args:
        items: Numbered one after the other, defects too.
        spare: How many of the last bytes of an item count by their number only: blanks come back.
    """
    waiting: list[tuple[RawItem, int]] = []
    size = 0
    for item in items:
        if isinstance(item, RawItem):
            blanks = spare(item.data)
            waiting.append((item, blanks))
            size += ITEM_BYTES + len(item.name) + len(item.data) - blanks
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
    """The items of some packs, as they were but for spared bytes; what is no pack, as it is."""
    for item in items:
        if item.name != _NAME:
            yield item
            continue
        data = item.data
        (count,) = _COUNT.unpack_from(data)
        sizes = struct.unpack_from(f"<{3 * count}Q", data, _COUNT.size)
        at = _COUNT.size + 24 * count
        numbers = range(item.number, item.number + count)
        for number, name, content, blanks in zip(
            numbers, sizes[::3], sizes[1::3], sizes[2::3], strict=True
        ):
            end = at + name
            label = data[at:end].decode("utf-8", "surrogateescape")
            at = end + content
            yield RawItem(number, label, data[end:at].ljust(content + blanks))


def _pack(items: list[tuple[RawItem, int]]) -> RawItem:
    parts: list[bytes] = []
    sizes: list[int] = []
    for (_, name, data), blanks in items:
        label, content = name.encode("utf-8", "surrogateescape"), len(data) - blanks
        parts += (label, data[:content])
        sizes += (len(label), content, blanks)
    table = struct.pack(f"<{len(sizes)}Q", *sizes)
    return RawItem(items[0][0].number, _NAME, b"".join((_COUNT.pack(len(items)), table, *parts)))
