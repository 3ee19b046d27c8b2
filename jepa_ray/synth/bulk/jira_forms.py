"""Documents of a Jira with holes, as BSON: encoded once, filled many times.

A form is the elements of `fields` of one made-up document, cut at those that differ from issue to
issue; comments and entries of the changelog are whole documents of a stock, put into arrays. So a
document is a few joins, and only lengths are written anew.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import bson

from jepa_ray.synth.jira_document import JiraDocuments
from jepa_ray.synth.population import generator

_FORMS, _ENTRIES = 24, 160
HOLES = ("summary", "description", "created", "updated", "duedate", "comment")
_ISSUE: dict[str, str | None] = {
    "id": "1",
    "key": "X-1",
    "created": "2020-01-01T00:00:00",
    "summary": "s",
}
_STRING, _DOCUMENT, _ARRAY, _NULL = b"\x02", b"\x03", b"\x04", b"\x0a"
_length = struct.Struct("<i").pack


class Form(NamedTuple):
    """The elements of `fields`, less those of `HOLES`.

    Attributes:
        parts: What stands before, between and after the holes; one more than there are of them.
        holes: Their names in the order of this Jira.
    """

    parts: Sequence[bytes]
    holes: Sequence[str]


class Jira(NamedTuple):
    """What the documents of one Jira are made from.

    Attributes:
        forms: Of `fields`.
        comments: Documents.
        histories: Documents, entries of the changelog.
        start: Elements before `id` other than `_id`.
        link: Where an issue is, less its number.
    """

    forms: Sequence[Form]
    comments: Sequence[bytes]
    histories: Sequence[bytes]
    start: bytes
    link: bytes


class Hit(NamedTuple):
    """One issue before it is put together.

    Attributes:
        object_id: The element `_id`.
        number: Its `id`; None: it has none.
        key: As "LUM-7".
        values: Elements for the holes by name; b"": it is left out.
        changelog: A document.
        form: The rest of `fields`.
        source: Its Jira.
    """

    object_id: bytes
    number: bytes | None
    key: bytes
    values: dict[str, bytes]
    changelog: bytes
    form: Form
    source: Jira


def encoded(hit: Hit) -> bytes:
    """The document of an issue, as the API answers a search."""
    holes = [*(hit.values[name] for name in hit.form.holes), b""]
    fields = document(part for pair in zip(hit.form.parts, holes, strict=True) for part in pair)
    return document(
        (
            hit.object_id,
            hit.source.start,
            string("id", hit.number) if hit.number is not None else b"",
            string("self", hit.source.link + (hit.number or b"")),
            string("key", hit.key),
            nested("fields", fields),
            nested("changelog", hit.changelog),
        )
    )


@lru_cache(maxsize=32)
def jira(seed: int, number: int, fields: int) -> Jira:
    """The forms of one Jira.

    Args:
        seed: Of the archive.
        number: Of the Jira.
        fields: How many an issue has.
    """
    made = JiraDocuments(generator(seed, "public_jira_dump", 3, number), number, fields)
    hits = [made.hit(_ISSUE) for _ in range(_FORMS)]
    comments = [c for hit in hits for c in hit["fields"]["comment"]["comments"]]
    histories = [h for hit in hits for h in hit["changelog"]["histories"]]
    while len(comments) < _ENTRIES or len(histories) < _ENTRIES:
        hit = made.hit(_ISSUE)
        comments += hit["fields"]["comment"]["comments"]
        histories += hit["changelog"]["histories"]
    return Jira(
        [_form(hit["fields"]) for hit in hits],
        [bson.encode(comment) for comment in comments],
        [bson.encode(history) for history in histories],
        string("expand", hits[0]["expand"].encode()),
        hits[0]["self"].rpartition("/")[0].encode() + b"/",
    )


def _form(fields: dict[str, Any]) -> Form:
    parts: list[bytes] = []
    holes: list[str] = []
    between: dict[str, Any] = {}
    for name, value in fields.items():
        if name in HOLES:
            parts.append(_elements(between))
            holes.append(name)
            between = {}
        else:
            between[name] = value
    return Form([*parts, _elements(between)], holes)


def _elements(values: dict[str, Any]) -> bytes:
    return bson.encode(values)[4:-1]


def string(name: str, text: bytes) -> bytes:
    """An element that is a text, given as UTF-8."""
    return _STRING + name.encode() + b"\0" + _length(len(text) + 1) + text + b"\0"


def nothing(name: str) -> bytes:
    """An element that is null."""
    return _NULL + name.encode() + b"\0"


def document(elements: Iterable[bytes]) -> bytes:
    """A document of these elements."""
    inside = b"".join(elements)
    return _length(len(inside) + 5) + inside + b"\0"


def nested(name: str, inside: bytes) -> bytes:
    """An element that is a document."""
    return _DOCUMENT + name.encode() + b"\0" + inside


def array(name: str, documents: Sequence[bytes]) -> bytes:
    """An element that is an array of documents."""
    elements = (_DOCUMENT + b"%d\0" % n + inside for n, inside in enumerate(documents))
    return _ARRAY + name.encode() + b"\0" + document(elements)


def page(name: str, documents: Sequence[bytes]) -> bytes:
    """A list as the API gives it: the documents and how many there are."""
    count = _length(len(documents))
    numbers = b"\x10startAt\0\0\0\0\0\x10maxResults\0" + count + b"\x10total\0" + count
    return document((numbers, array(name, documents)))
