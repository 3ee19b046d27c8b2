"""Values of decoded records that several adapters read: whatever a server may have put there."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.windows import NORMAL_PRIORITY

EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
PRIORITIES = {
    "lowest": 0.0, "low": 0.25, "normal": NORMAL_PRIORITY, "medium": NORMAL_PRIORITY, "high": 0.75,
    "highest": 1.0, "immediate": 1.0, "urgent": 1.0,
}  # fmt: skip
_MAX_DOCUMENT_NODES = 100_000
_decode = msgspec.json.Decoder().decode


def decode_object(data: bytes, slug: str = "malformed_json") -> dict[str, Any]:
    """The JSON object of some bytes.

    Args:
        data: The bytes.
        slug: Of the error.

    Raises:
        NotReadableError: They are not JSON (the detail says where they break), or another value.
    """
    value = _value(data, slug)
    if isinstance(value, dict):
        return value
    raise NotReadableError(slug, f"a JSON {type(value).__name__}, not an object")


def _value(data: bytes, slug: str) -> Any:
    try:
        return _decode(data)
    except UnicodeDecodeError as error:
        detail = f"not UTF-8 at byte {error.start}"
    except msgspec.DecodeError as error:
        detail = str(error)
    except RecursionError:
        detail = "nested too deeply"
    raise NotReadableError(slug, f"not JSON: {detail}")


def encode(value: Any) -> str:
    """A value as JSON, the form of `Activity.metadata`."""
    return msgspec.json.encode(value).decode()


def moment(record: dict[str, Any], name: str) -> tuple[dt.datetime, bool] | None:
    """A date or time stamp and whether it has a time; None where it is absent, null or "".

    Raises:
        NotReadableError: It is none, or of another century.
    """
    value = record.get(name)
    if value is None or value == "":
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise NotReadableError("bad_time", f"{name} is not an ISO 8601 date") from None
    if not EARLIEST <= found.date() < LATEST:
        raise NotReadableError("implausible_date", f"{name} lies in the year {found.year}")
    return found, "T" in value or " " in value


def creation(record: dict[str, Any], name: str) -> tuple[dt.datetime, bool]:
    """Like `moment`, of a stamp that has to be there.

    Raises:
        NotReadableError: As `moment`, and where it is absent.
    """
    found = moment(record, name)
    if found is None:
        raise NotReadableError("missing_field", f"there is no {name}")
    return found


def due(record: dict[str, Any], name: str) -> dt.date | dt.datetime | None:
    """A due date, as a date where it has no time.

    Raises:
        NotReadableError: As `moment`.
    """
    found = moment(record, name)
    if found is None:
        return None
    when, timed = found
    return when if timed else when.date()


def chars(*texts: Any) -> int:
    """Characters of some texts; other values count nothing."""
    return sum(len(text) for text in texts if isinstance(text, str))


def text_chars(text: Any) -> int:
    """Characters of a text; of all text nodes where it is an Atlassian document."""
    if isinstance(text, str):
        return len(text)
    total = 0
    nodes = [text]
    for _ in range(_MAX_DOCUMENT_NODES):
        if not nodes:
            break
        node = nodes.pop()
        if isinstance(node, dict):
            found = node.get("text")
            total += len(found) if isinstance(found, str) else 0
            nodes.append(node.get("content"))
        elif isinstance(node, list):
            nodes.extend(node)
    return total


def priority(name: Any, known: Mapping[str, float] = PRIORITIES) -> float:
    """A priority by its English name; 0.5 for any that is not known, and where it is unset."""
    text = name.strip().lower() if isinstance(name, str) else ""
    return known.get(text, NORMAL_PRIORITY)


def child(record: Any, *path: str) -> Any:
    """What stands at a path of nested objects; None where there is none."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def whole_number(value: Any) -> int | None:
    """A number from 0 up to 63 bits, as ids are; None for anything else."""
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and 0 <= value < 2**63 else None
