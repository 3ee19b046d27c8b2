"""Calendar files: one VEVENT, one record; recurrences expand within a bounded horizon.

Source: Mozilla Thunderbird's holiday calendars (licence and citation: docs/sources.md).
An all-day event fills the day and counts as a holiday (these are holiday calendars); a timed one
fills the slots it touches on the wall clock of its TZID. A VEVENT with RRULE or RDATE becomes one
window per occurrence, less EXDATE and the occurrences that a VEVENT of the same UID with a
RECURRENCE-ID replaces: that one is a record of its own.
"""

import datetime as dt
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import icalendar

from jepa_ray.adapters.base import Shard, SourceFile, SourceInfo, file_shards, name_hasher
from jepa_ray.adapters.recurrence import moment, occurrences
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import (
    IcsCalendar,
    InputStream,
    RawBlock,
    RawDefect,
    RawItem,
    blocks_of,
    read_calendars,
)
from jepa_ray.windows import (
    DAY_MINUTES,
    PEOPLE_SCALE,
    TEXT_CHARS_SCALE,
    Activity,
    ActivityBatch,
    Rejected,
    Skipped,
)

CONFIDENCE = 1.0
EARLIEST, LATEST = 1800, 2200
_SHARD_BYTES = 1 << 20
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

Outcome = Activity | Rejected | Skipped


class CalendarIcs:
    """Adapter of the dataset `calendar_ics_thunderbird`."""

    info: ClassVar = SourceInfo(
        dataset="calendar_ics_thunderbird",
        group="calendar",
        path="calendar_ics/thunderbird/*.ics",
        licence="MPL-2.0 (thunderbird-website)",
        how_to_get="https://www.thunderbird.net/calendar/holidays/ (media/caldata/autogen)",
    )
    version: ClassVar = 1
    kind: ClassVar = "calendar_event"

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """About a megabyte of files a shard."""
        return file_shards(root, (self.info.path,), shard_bytes=_SHARD_BYTES)

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """The file as one item."""
        yield from blocks_of(self._whole(file), self._config.raw_block_bytes)

    def _whole(self, file: SourceFile) -> Iterator[RawItem | RawDefect]:
        limit = self._config.max_record_bytes
        with file.path.open("rb") as raw:
            stream = InputStream(raw, gzipped=False)
            data = stream.read(limit + 1)
        if stream.defect:
            yield RawDefect(1, *stream.defect)
        elif len(data) > limit:
            yield RawDefect(1, "record_too_large", f"the calendar is larger than {limit} bytes")
        else:
            yield RawItem(1, "", data)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Events of some calendar files."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # icalendar guesses vendor TZIDs and says so each time
            outcomes = [o for item in items for o in self._file(label, item.data)]
        return ActivityBatch.of(self.kind, outcomes)

    def _file(self, label: str, data: bytes) -> Iterator[Outcome]:
        calendars = read_calendars(data)
        if not calendars:
            yield Rejected(f"{label}#1", "not_a_calendar", "there is no BEGIN:VCALENDAR line")
        number = 0
        for calendar in calendars:
            yield from self._calendar(label, calendar, number)
            number += len(calendar.events)

    def _calendar(self, label: str, calendar: IcsCalendar, before: int) -> Iterator[Outcome]:
        """All events of one VCALENDAR; `before` events came before it in the file."""
        events: dict[int, Any] = {}
        _learn_timezones(calendar.timezones)
        for number, text in enumerate(calendar.events, start=before + 1):
            event = _parse_event(text)
            if isinstance(event, str):
                yield Rejected(f"{label}#{number}", event, _DETAILS[event])
            else:
                events[number] = event
        replaced = _replaced(events.values())
        copies: Counter[str] = Counter()
        for number, event in events.items():
            where = f"{label}#{number}"
            uid = str(event.get("UID", ""))
            copies[uid] += 1
            source_id = self._hash.hex(f"{label} {uid} {copies[uid]} {before}")
            try:
                yield from self._record(where, label, source_id, event, replaced[uid])
            except Exception as error:  # noqa: BLE001 - whatever a library makes of hostile input
                yield Rejected(
                    where, "bad_event", f"the event breaks the parser: {type(error).__name__}"
                )

    def _record(
        self, where: str, label: str, source_id: str, event: Any, replaced: set[Any]
    ) -> list[Outcome]:
        """One VEVENT: its windows, a skip or a rejection."""
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            return [Skipped("cancelled")]
        start = event["DTSTART"].dt
        if not EARLIEST <= start.year < LATEST:
            return [Rejected(where, "implausible_date", f"DTSTART lies in the year {start.year}")]
        recurs = "RECURRENCE-ID" not in event and ("RRULE" in event or "RDATE" in event)
        if not recurs:
            return [self._activity(label, source_id, event, start, event.end)]
        try:
            spans = occurrences(event, self._config.ics, replaced)
        except ValueError:
            return [Rejected(where, "bad_recurrence", _DETAILS["bad_recurrence"])]
        if not spans:
            return [Skipped("no_occurrence")]
        return [
            self._activity(label, f"{source_id}-{i}" if i else source_id, event, *span, again=i > 0)
            for i, span in enumerate(spans)
        ]

    def _activity(
        self,
        label: str,
        source_id: str,
        event: Any,
        start: dt.date | dt.datetime,
        end: dt.date | dt.datetime,
        *,
        again: bool = False,
    ) -> Activity:
        timed, until, minutes = False, None, float(DAY_MINUTES)
        if isinstance(start, dt.datetime):
            timed, until = True, _on_clock_of(start, end)
            minutes = (until - start).total_seconds() / 60
        text = str(event.get("SUMMARY", "")) + str(event.get("DESCRIPTION", ""))
        return Activity(
            source_id=source_id,
            start=start
            if isinstance(start, dt.datetime)
            else dt.datetime.combine(start, dt.time()),
            end=until,
            timed=timed,
            features={
                "calendar_event": 1.0,
                "holiday": float(not timed),
                "duration": minutes / DAY_MINUTES,
                "priority": _priority(event.get("PRIORITY")),
                "participant_count": _people(event) / PEOPLE_SCALE,
                "text_length": len(text) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(label),
            category="all_day" if not timed else "timed",
            expanded=again,
        )


ADAPTER = CalendarIcs

_DETAILS = {
    "unclosed_event": "there is no END:VEVENT line",
    "malformed_event": "the lines are not those of an iCalendar component",
    "bad_start": "DTSTART is missing or not a date",
    "bad_end": "DTEND or DURATION is not a date or a duration",
    "bad_recurrence": "RRULE, RDATE, EXDATE or RECURRENCE-ID cannot be read or never ends",
}
_RECURRENCE = {"RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}


def _learn_timezones(blocks: Sequence[str]) -> None:
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


def _parse_event(text: str) -> Any:
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


def _on_clock_of(start: dt.datetime, end: Any) -> dt.datetime:
    """The end of a timed event on the wall clock of its start, which may be of another zone."""
    if not isinstance(end, dt.datetime):
        return start
    return end.astimezone(start.tzinfo) if start.tzinfo else end


def _replaced(events: Any) -> dict[str, set[Any]]:
    """Start times that an event with a RECURRENCE-ID replaces, by UID."""
    found: dict[str, set[Any]] = defaultdict(set)
    for event in events:
        moved = event.get("RECURRENCE-ID")
        if moved is not None:
            found[str(event.get("UID", ""))].add(moment(moved.dt))
    return found


def _priority(value: Any) -> float:
    """RFC 5545: 1 highest, 5 normal, 9 lowest, 0 undefined -> 1, 0.5, 0 and 0.5."""
    if value is None:
        return 0.0
    try:
        level = int(value)
    except (TypeError, ValueError):
        return 0.5
    return (9 - level) / 8 if 1 <= level <= 9 else 0.5


def _people(event: Any) -> int:
    """Distinct attendees and the organiser."""
    found = event.get("ATTENDEE", [])
    people = {str(a).lower() for a in (found if isinstance(found, list) else [found])}
    if "ORGANIZER" in event:
        people.add(str(event["ORGANIZER"]).lower())
    return len(people)
