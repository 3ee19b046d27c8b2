"""Values of decoded JSON that several adapters read: whatever a server may have put there."""

import datetime as dt
from typing import Any

import msgspec

from jepa_ray.windows import NORMAL_PRIORITY

EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
PRIORITIES = {
    "lowest": 0.0, "low": 0.25, "normal": NORMAL_PRIORITY, "medium": NORMAL_PRIORITY, "high": 0.75,
    "highest": 1.0, "immediate": 1.0, "urgent": 1.0,
}  # fmt: skip
_decode = msgspec.json.Decoder().decode


class NotReadableError(Exception):
    """A record that becomes a `Rejected`: the slug and a sentence without raw text."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(slug, detail)
        self.slug = slug
        self.detail = detail


def decode(data: bytes) -> Any:
    """The JSON value of some bytes.

    Raises:
        NotReadableError: They are not JSON; the detail says where they break.
    """
    try:
        return _decode(data)
    except UnicodeDecodeError as error:
        detail = f"not UTF-8 at byte {error.start}"
    except msgspec.DecodeError as error:
        detail = str(error)
    except RecursionError:
        detail = "nested too deeply"
    raise NotReadableError("malformed_json", f"not JSON: {detail}")


def decode_object(data: bytes) -> dict[str, Any]:
    """The JSON object of some bytes.

    Raises:
        NotReadableError: They are not JSON, or another value.
    """
    value = decode(data)
    if isinstance(value, dict):
        return value
    raise NotReadableError("malformed_json", f"a JSON {type(value).__name__}, not an object")


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


def priority(name: Any) -> float:
    """A priority by its English name; 0.5 for any other, and where it is unset."""
    return (
        PRIORITIES.get(name.strip().lower(), NORMAL_PRIORITY)
        if isinstance(name, str)
        else NORMAL_PRIORITY
    )


def child(record: Any, *path: str) -> Any:
    """What stands at a path of nested objects; None where there is none."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def whole_number(value: Any) -> int | None:
    """A number from 0 up to 63 bits, as ids are; None for anything else."""
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and 0 <= value < 2**63 else None
