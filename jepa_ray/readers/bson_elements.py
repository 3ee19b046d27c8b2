"""Single elements of a BSON document, found by walking over it without building the rest.

Elements of a fixed size, most of them the nulls of unused fields, are passed over in runs by one
regular expression that follows the format; strings, documents and the like by their length. What
lies inside those that are not wanted is not looked at.

Source: https://bsonspec.org/spec.html, version 1.1.
"""

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from jepa_ray.readers.bson_frames import MIN_DOCUMENT

_NAME = rb"[^\0]*+\0"
_NULL = rb"\x0a" + _NAME
_FIXED = b"|".join(
    (
        rb"\x10" + _NAME + rb".{4}",
        rb"[\x01\x09\x11\x12]" + _NAME + rb".{8}",
        rb"\x08" + _NAME + rb"[\0\x01]",
        rb"[\x06\x7f\xff]" + _NAME,
        rb"\x07" + _NAME + rb".{12}",
        rb"\x13" + _NAME + rb".{16}",
    )
)
_REGEX = 0x0B
_SIZES = {
    0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0,
    0xFF: 0,
}  # fmt: skip
_WITH_LENGTH = {
    0x02: (4, 5), 0x03: (0, 5), 0x04: (0, 5), 0x05: (5, 5), 0x0C: (16, 17), 0x0D: (4, 5),
    0x0E: (4, 5), 0x0F: (0, 14),
}  # fmt: skip
"""Bytes of a value that its length does not count, and the fewest bytes that there can be."""
_TERMINATED = (0x02, 0x03, 0x04, 0x0D, 0x0E)
_AT_WANTED, _AT_DOCUMENT, _AT_STRING = 2, 3, 4  # the last group that matched
_length = struct.Struct("<i").unpack_from


class BsonError(Exception):
    """Bytes that are no BSON document; the message names the place, without raw text."""


class Element(NamedTuple):
    """One element.

    Attributes:
        kind: The byte of its type.
        at: Where its value begins, the length of a string or document included.
        end: Where its value ends.
    """

    kind: int
    at: int
    end: int


class ElementFinder:
    """Finds the elements of some names in documents."""

    def __init__(self, names: Iterable[str]) -> None:
        wanted = b"|".join(re.escape(name.encode()) for name in names)
        fixed = rb"(?![\x02-\x05])(?!.(?:" + wanted + rb")\0)(?:" + _FIXED + rb")"
        stops = (
            rb"(.)(" + wanted + rb")\0",
            rb"([\x03\x04])" + _NAME,
            rb"(\x02)" + _NAME,
            rb"([^\0])" + _NAME,
            rb"\0",
        )
        passed = rb"(?:" + _NULL + rb"|" + fixed + rb")*+"
        self._step = re.compile(passed + rb"(?:" + rb"|".join(stops) + rb")", re.DOTALL).match

    def find(self, data: bytes, at: int, end: int) -> dict[bytes, Element]:
        """The wanted elements of one document that are not null; where a name repeats, the last.

        Args:
            data: Holds the document.
            at: Where the document begins.
            end: Where it has to end.

        Raises:
            BsonError: It is no document, as far as was looked: not inside of other elements.
        """
        if end - at < MIN_DOCUMENT or _length(data, at)[0] != end - at or data[end - 1]:
            raise BsonError(f"the document at byte {at} has another length")
        try:
            return self._walk(data, at + 4, end)
        except struct.error:
            raise BsonError(f"the document at byte {at} ends inside an element") from None

    def _walk(self, data: bytes, at: int, end: int) -> dict[bytes, Element]:
        found: dict[bytes, Element] = {}
        step, length, last = self._step, _length, end - 1
        while match := step(data, at, end):
            stop, at = match.lastindex, match.end()
            if stop == _AT_DOCUMENT:
                size = length(data, at)[0]
                at += size
            elif stop == _AT_STRING:
                size = length(data, at)[0] + 4
                at += size
            elif stop is None:
                break
            else:
                begin, kind = at, match[1 if stop == _AT_WANTED else stop][0]
                at = _end(data, kind, begin, last)
                if stop == _AT_WANTED:
                    found[match[2]] = Element(kind, begin, at)
                continue
            if size < MIN_DOCUMENT or at > last or data[at - 1]:
                raise BsonError(f"the length at byte {match.end()} is wrong")
        if at != end:
            raise BsonError(f"no element at byte {at}")
        return found


def _end(data: bytes, kind: int, at: int, last: int) -> int:
    """Where the value of an element that begins at a place ends; the byte `last` is none of it."""
    if kind in _SIZES:
        end = least = at + _SIZES[kind]
    elif kind in _WITH_LENGTH:
        beside, fewest = _WITH_LENGTH[kind]
        end, least = at + _length(data, at)[0] + beside, at + fewest
    elif kind == _REGEX:
        middle = data.find(b"\0", at, last) + 1
        end, least = (data.find(b"\0", middle, last) + 1 if middle else 0), at + 2
    else:
        raise BsonError(f"no element of type {kind:#04x} before byte {at}")
    if not least <= end <= last or (kind in _TERMINATED and data[end - 1]):
        raise BsonError(f"the length at byte {at} is wrong")
    return end
