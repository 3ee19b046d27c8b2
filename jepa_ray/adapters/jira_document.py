"""A document of the Public Jira dump -> an issue in the reference form.

A document is what the Jira API answers to a search, as raw BSON. Of its up to 516 fields four are
used, so it is walked over and not decoded; what lies inside the others is not looked at. For
`actor_day` windowing ten are used, and the changelog.
"""

import datetime as dt
import re
import struct
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.errors import InvalidBSON

from jepa_ray.readers import BsonError, Element, ElementFinder

_STRING, _DOCUMENT = 0x02, 0x03
_HIT = ElementFinder(("id", "key", "fields"))
_FIELDS = ElementFinder(("created", "duedate", "summary", "description"))
_WHOLE_HIT = ElementFinder(("id", "key", "fields", "changelog"))
_STAMPS = ("created", "updated", "resolutiondate", "duedate")
_DUE = (b"duedate", b"Due Date", b"Due date", b"due date", b"dueDate")
_PEOPLE = ("creator", "reporter", "assignee")
_WHOLE_FIELDS = ElementFinder(
    (*_STAMPS, *_PEOPLE, "summary", "description", "issuetype", "priority", "comment")
)
_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the reference form knows no zone
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS
)


def reference_issue(namespace: str, document: bytes) -> dict[str, Any] | None:
    """What the normalised form says of one document.

    Args:
        namespace: "db.collection", the database without a dot; the collection is the name of the
            Jira.
        document: Raw BSON.

    Returns:
        id ("Jira:id", None without an id), key, created (the stamp's own clock to the second,
        without its offset), dueDate, summary, description (a text, an Atlassian document, None);
        None where the document has no key or no fields, and so is no issue.

    Raises:
        BsonError: It is no BSON document, as far as it is looked at.
    """
    hit = _HIT.find(document, 0, len(document))
    key, fields = hit.get(b"key"), hit.get(b"fields")
    if key is None or key.kind != _STRING or fields is None or fields.kind != _DOCUMENT:
        return None
    found = _FIELDS.find(document, fields.at, fields.end)
    return {
        "id": source_id(namespace.partition(".")[2], _value(document, hit.get(b"id"))),
        "key": _value(document, key),
        "created": own_clock(_value(document, found.get(b"created"))),
        "dueDate": own_clock(_value(document, found.get(b"duedate"))),
        "summary": _value(document, found.get(b"summary")),
        "description": _value(document, found.get(b"description")),
    }


def whole_issue(namespace: str, document: bytes) -> dict[str, Any] | None:
    """What one document says of an issue and of all that was done with it.

    Args:
        namespace: As of `reference_issue`.
        document: Raw BSON.

    Returns:
        id ("Jira:id" or None), key, fields and changelog as the Jira API gives them, of the fields
        only those that tell of activity; None where the document is no issue.

    Raises:
        BsonError: As `reference_issue`.
    """
    hit = _WHOLE_HIT.find(document, 0, len(document))
    key, fields = hit.get(b"key"), hit.get(b"fields")
    if key is None or key.kind != _STRING or fields is None or fields.kind != _DOCUMENT:
        return None
    found = _WHOLE_FIELDS.find(document, fields.at, fields.end)
    values = {name.decode(): _value(document, at) for name, at in found.items()}
    changelog = _value(document, hit.get(b"changelog"))
    _say_times(values, changelog)
    return {
        "id": source_id(namespace.partition(".")[2], _value(document, hit.get(b"id"))),
        "key": _value(document, key),
        "fields": values,
        "changelog": changelog,
    }


def never_due(document: bytes) -> bool:
    """Whether an issue surely has no due date and never had one; most have not, so this is quick.

    Raises:
        BsonError: As `reference_issue`.
    """
    hit = _WHOLE_HIT.find(document, 0, len(document))
    fields, changelog = hit.get(b"fields"), hit.get(b"changelog")
    if fields is None or fields.kind != _DOCUMENT or changelog is None:
        return False
    now = _FIELDS.find(document, fields.at, fields.end).get(b"duedate")
    return now is None and all(
        document.find(name, changelog.at, changelog.end) < 0 for name in _DUE
    )


def _say_times(fields: dict[str, Any], changelog: Any) -> None:
    """Write times of BSON, which are UTC, as the API does; in place."""
    entries = [fields]
    for holder, name in ((changelog, "histories"), (fields.get("comment"), "comments")):
        found = holder.get(name) if isinstance(holder, dict) else None
        entries += [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []
    for entry in entries:
        for name in _STAMPS:
            if isinstance(entry.get(name), DatetimeMS):
                stamp = own_clock(entry[name])
                entry[name] = f"{stamp}+00:00" if "T" in stamp else stamp


def _value(document: bytes, element: Element | None) -> Any:
    """The value of an element; None where there is none."""
    if element is None:
        return None
    try:
        if element.kind == _STRING:
            return document[element.at + 4 : element.end - 1].decode()
        raw = document[element.at : element.end]
        size = struct.pack("<i", len(raw) + 8)
        return bson.decode(size + bytes([element.kind]) + b"v\0" + raw + b"\0", _OPTIONS)["v"]
    except UnicodeDecodeError as error:
        raise BsonError(f"not UTF-8 at byte {element.at + 4 + error.start}") from None
    except RecursionError:
        raise BsonError(f"nested too deeply at byte {element.at}") from None
    except (InvalidBSON, ValueError, TypeError, OverflowError):
        raise BsonError(f"not BSON inside the element at byte {element.at}") from None


def source_id(jira: str, number: Any) -> str | None:
    """`Jira:id`, of an id that is a text or a number; None for any other."""
    known = isinstance(number, int | str) and number != "" and not isinstance(number, bool)
    return f"{jira}:{number}" if known else None


def own_clock(value: Any) -> Any:
    """A time as the reference form has it: to the second, without its offset.

    What is none is left for the reader of that form.
    """
    if isinstance(value, str):
        match = _STAMP.fullmatch(value)
        return match[1] if match else value
    if isinstance(value, DatetimeMS):
        try:
            when = _EPOCH + dt.timedelta(milliseconds=int(value))
        except OverflowError:
            return str(int(value))
        return when.isoformat(timespec="seconds")
    return value
