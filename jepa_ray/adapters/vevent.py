"""One VEVENT as icalendar reads it, and what is wrong with those it cannot."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import icalendar

from jepa_ray.adapters.recurrence import moment

_MAX_ZONE_CHARS = 64 << 10
_ZONE_RULE = re.compile(r"^RRULE[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_ZONE_PART = re.compile(
    r"FREQ=YEARLY|BYMONTH=(0?[1-9]|1[0-2])|BYDAY=[+-]?[1-4]?[A-Z]{2}|UNTIL=\w+|COUNT=\d{1,3}"
    r"|BYMONTHDAY=(0?[1-9]|1\d|2[0-8])(,(0?[1-9]|1\d|2[0-8]))*|INTERVAL=1|WKST=[A-Z]{2}"
)
_DATE_WITH_ZONE = re.compile(r"(?im)^[A-Z-]+;(?=[^:\n]*TZID=)[^:\n]*VALUE=DATE(?=[;:])[^:\n]*")
"""A date has no zone; icalendar would make a midnight of it."""
_ZONE_NAME = re.compile(r";TZID=[^;:]*", re.IGNORECASE)
_ZONE_NTH = re.compile(r"BYDAY=[+-]?\d.*")


DETAILS = {
    "unclosed_event": "there is no END:VEVENT line",
    "malformed_event": "the lines are not those of an iCalendar component",
    "bad_start": "DTSTART is missing or not a date",
    "bad_end": "DTEND or DURATION is not a date or a duration",
    "bad_recurrence": "RRULE, RDATE, EXDATE or RECURRENCE-ID cannot be read or never ends",
}
_RECURRENCE = {"RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}


def learn_timezones(blocks: Sequence[str]) -> None:
    """Teach icalendar the VTIMEZONEs of one calendar, and let it forget all others.

    icalendar keeps them for the life of the process: another file's zone of the same name would
    decide, and so the order of files.
    """
    icalendar.use_zoneinfo()
    for block in blocks:
        rules = _ZONE_RULE.findall(block)
        if len(block) > _MAX_ZONE_CHARS or not all(_ends_soon(rule.upper()) for rule in rules):
            continue
        # a zone that cannot be read is an unknown one: its times keep their wall clock
        with suppress(Exception):
            icalendar.Calendar.from_ical(f"BEGIN:VCALENDAR\r\n{block}END:VCALENDAR\r\n")


def _ends_soon(rule: str) -> bool:
    """Whether a zone's rule is one day a year that exists; other rules could run for ever."""
    parts = rule.strip().split(";")
    days = "BYMONTHDAY=" in rule and any(_ZONE_NTH.fullmatch(part) for part in parts)
    return "FREQ=YEARLY" in parts and all(map(_ZONE_PART.fullmatch, parts)) and not days


def parse_event(text: str) -> Any:
    """The icalendar event, or the slug of what is wrong with it."""
    if not text.rstrip().upper().endswith("END:VEVENT"):
        return "unclosed_event"
    try:
        plain = _DATE_WITH_ZONE.sub(lambda match: _ZONE_NAME.sub("", match[0]), text)
        whole = f"BEGIN:VCALENDAR\r\n{plain}END:VCALENDAR\r\n"
        event = icalendar.Calendar.from_ical(whole).walk("VEVENT")[0]
    except Exception:  # noqa: BLE001 - whatever a library makes of hostile input
        return "malformed_event"
    try:
        start = event["DTSTART"].dt
        if not isinstance(start, dt.date):
            return "bad_start"
    except Exception:  # noqa: BLE001 - as above
        return "bad_start"
    if not _recurrence_readable(event):
        return "bad_recurrence"
    return event if _end_agrees(event, start) else "bad_end"


def _recurrence_readable(event: Any) -> bool:
    if any(name in _RECURRENCE for name, _ in event.errors):
        return False
    try:
        return "RECURRENCE-ID" not in event or bool(moment(event["RECURRENCE-ID"].dt))
    except Exception:  # noqa: BLE001 - as above
        return False


def _end_agrees(event: Any, start: dt.date) -> bool:
    """Whether the end is usable; a bad end of an all-day event and one too early are dropped."""
    timed = isinstance(start, dt.datetime)
    try:
        end = event.end
        if isinstance(end, dt.datetime) == timed and end >= start:
            return True
        early = isinstance(end, dt.datetime) == timed
    except Exception:  # noqa: BLE001 - icalendar raises many kinds here
        early = False
    if timed and not early:
        return False
    event.pop("DTEND", None)
    event.pop("DURATION", None)
    return True


def on_clock_of(start: dt.datetime, end: Any) -> dt.datetime:
    """The end of a timed event on the wall clock of its start, which may be of another zone."""
    if not isinstance(end, dt.datetime):
        return start
    return end.astimezone(start.tzinfo) if start.tzinfo else end


def replaced_starts(events: Any) -> dict[str, set[Any]]:
    """Start times that an event with a RECURRENCE-ID replaces, by UID."""
    found: dict[str, set[Any]] = defaultdict(set)
    for event in events:
        moved = event.get("RECURRENCE-ID")
        if moved is not None:
            found[str(event.get("UID", ""))].add(moment(moved.dt))
    return found


def priority(value: Any) -> float:
    """RFC 5545: 1 highest, 5 normal, 9 lowest, 0 undefined -> 1, 0.5, 0 and 0.5."""
    if value is None:
        return 0.0
    try:
        level = int(value)
    except (TypeError, ValueError):
        return 0.5
    return (9 - level) / 8 if 1 <= level <= 9 else 0.5


def people(event: Any) -> int:
    """Distinct attendees and the organiser."""
    found = event.get("ATTENDEE", [])
    found_people = {str(a).lower() for a in (found if isinstance(found, list) else [found])}
    if "ORGANIZER" in event:
        found_people.add(str(event["ORGANIZER"]).lower())
    return len(found_people)


def categories(event: Any) -> set[str]:
    """All CATEGORIES of an event in lower case; none where they cannot be read."""
    found = event.get("CATEGORIES", [])
    try:
        lists = found if isinstance(found, list) else [found]
        return {str(c).strip().lower() for one in lists for c in getattr(one, "cats", [one])}
    except Exception:  # noqa: BLE001 - whatever a library makes of hostile input
        return set()
