"""Elements found in raw BSON are those that a full decoding finds."""

import contextlib
import datetime as dt
import struct
import uuid

import bson
import pytest
from bson import (
    Binary,
    Code,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.readers import BsonError, ElementFinder

FINDER = ElementFinder(("key", "id"))
EVERY_TYPE = {
    "double": 1.5, "string": "x", "empty": "", "document": {"key": 1}, "array": [1, {"id": 2}],
    "binary": Binary(b"abc", 0), "old_binary": Binary(b"abc", 2), "uuid": Binary.from_uuid(
        uuid.UUID(int=5)), "oid": ObjectId(b"k" * 12), "true": True, "false": False,
    "date": dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "null": None, "regex": Regex("a\tb", "i"),
    "code": Code("x = 123"), "scoped": Code("x", {"key": "inside"}), "int": 7,
    "stamp": Timestamp(1, 2), "long": Int64(2**40), "decimal": Decimal128("1.5"), "min": MinKey(),
    "max": MaxKey(),
}  # fmt: skip


def find(data):
    return FINDER.find(data, 0, len(data))


def value(data, element):
    """The value of a found element, by the library."""
    raw = data[element.at : element.end]
    whole = bytes([element.kind]) + b"v\0" + raw + b"\0"
    return bson.decode(struct.pack("<i", len(whole) + 4) + whole)["v"]


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_a_wanted_element_is_found_after_any_type(name):
    data = bson.encode({name: EVERY_TYPE[name], "key": "k", "last": 1})
    assert list(find(data)) == [b"key"]
    assert value(data, find(data)[b"key"]) == "k"


@pytest.mark.parametrize("name", sorted(set(EVERY_TYPE) - {"null"}))
def test_a_wanted_element_may_be_of_any_type(name):
    data = bson.encode({"a": None, "key": EVERY_TYPE[name], "b": "x", "id": 1})
    assert value(data, find(data)[b"key"]) == bson.decode(data)["key"]
    assert value(data, find(data)[b"id"]) == 1


def test_a_null_is_as_good_as_none():
    assert find(bson.encode({"key": None, "id": None})) == {}


@pytest.mark.parametrize("name", ["ke", "keyy", "xkey", "KEY", "", "id\u00e9"])
def test_a_name_that_only_looks_alike_is_another(name):
    assert find(bson.encode({name: "x", "a": {"key": 1}, "b": [{"id": 1}]})) == {}


def test_bytes_that_look_like_an_element_inside_another_are_not_taken():
    inside = bson.encode({"key": "false"})
    data = bson.encode({"a": Binary(inside, 0), "b": "\x02key\x03", "key": "true", "c": inside})
    assert value(data, find(data)[b"key"]) == "true"


def test_of_a_repeated_name_the_last_counts():
    one, two = bson.encode({"key": 1})[4:-1], bson.encode({"key": 2})[4:-1]
    data = struct.pack("<i", len(one + two) + 5) + one + two + b"\0"
    assert value(data, find(data)[b"key"]) == bson.decode(data)["key"] == 2


def test_a_document_inside_another_is_walked_by_its_place():
    outer = bson.encode({"fields": {"key": "k"}, "key": "outer"})
    place = ElementFinder(("fields",)).find(outer, 0, len(outer))[b"fields"]
    found = FINDER.find(outer, place.at, place.end)
    assert value(outer, found[b"key"]) == "k"


def test_a_thousand_levels_are_passed_over():
    data = b"\x05\0\0\0\0"
    for _ in range(1000):
        data = struct.pack("<i", len(data) + 8) + b"\x03a\0" + data + b"\0"
    whole = struct.pack("<i", len(data) + 17) + b"\x03a\0" + data + b"\x10key\0\x07\0\0\0" + b"\0"
    assert value(whole, find(whole)[b"key"]) == 7


@pytest.mark.parametrize(
    ("name", "size"),
    [
        (name, size)
        for name in ("string", "document", "array", "binary", "code", "scoped")
        for size in (-1, 0, 1, 4, 10**6, 2**31 - 1, -(2**31))
        if name != "binary" or not 0 <= size <= 4  # a shorter one is right by itself
    ],
)
@pytest.mark.parametrize("field", ["key", "other"])
def test_a_length_that_lies_is_found(name, size, field):
    whole = bytearray(bson.encode({field: EVERY_TYPE[name], "z": 1}))
    at = whole.index(field.encode()) + len(field) + 1
    whole[at : at + 4] = struct.pack("<i", size)
    with pytest.raises(BsonError):
        find(bytes(whole))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x05\0\0\0", b"\x05\0\0\0\x01", b"\x06\0\0\0\0", b"\x06\0\0\0\0\0",
        b"\x07\0\0\0\x99a\0", b"\x08\0\0\0\x10a\0\0", b"\x08\0\0\0\x02a\0\0", b"\x07\0\0\0\x0aa\0",
        b"\x08\0\0\0\x08a\0\x02", b"\x08\0\0\0\x0ba\0\0", b"\x07\0\0\0\x03a\0", bytes(50),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(data):
    with pytest.raises(BsonError):
        find(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats()
    | st.text("ab\0\u00e9", max_size=5) | st.binary(max_size=9)
    | st.sampled_from(list(EVERY_TYPE.values())),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["key", "id", "k", "x"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(["key", "id", "ke", "keys", "a", "", "i", "z\u00e9"])


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_what_is_found_is_what_the_library_decodes(document):
    data = bson.encode(document)
    expected = bson.decode(data)
    found = {name.decode(): value(data, element) for name, element in find(data).items()}
    wanted = {n: v for n, v in expected.items() if n in {"key", "id"} and v is not None}
    assert repr(found.items()) == repr({n: wanted[n] for n in found}.items())
    assert found.keys() == wanted.keys()


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.data())
def test_no_damage_raises_anything_else(document, draw):
    data = bytearray(bson.encode(document))
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        for element in find(bytes(data)).values():
            assert 0 <= element.at <= element.end < len(data)
    except BsonError:
        pass


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(content):
    for data in (content, struct.pack("<i", len(content) + 5) + content + b"\0"):
        with contextlib.suppress(BsonError):
            find(data)
