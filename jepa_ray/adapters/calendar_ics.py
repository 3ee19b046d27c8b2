"""Calendar files: one VEVENT, one record; recurrences expand within a bounded horizon.

Source: Mozilla Thunderbird's holiday calendars (licence and citation: docs/sources.md).
An all-day event fills the day and counts as a holiday (these are holiday calendars); a timed one
fills the slots it touches on the wall clock of its TZID. A VEVENT with RRULE or RDATE becomes one
window per occurrence, less EXDATE and the occurrences that a VEVENT of the same UID with a
RECURRENCE-ID replaces: that one is a record of its own.
"""

import datetime as dt
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import icalendar
import recurring_ical_events

from jepa_ray.adapters.base import Shard, SourceFile, SourceInfo, file_shards, name_hasher
from jepa_ray.config import IcsConfig, PrepareConfig
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
_PERIOD_DAYS = {
    "SECONDLY": 1 / 86400,
    "MINUTELY": 1 / 1440,
    "HOURLY": 1 / 24,
    "DAILY": 1,
    "WEEKLY": 7,
}
_SLACK = 8
"""Look this many times further than the wanted occurrences need: filters like BYDAY thin them."""

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
        for number, text in enumerate(calendar.events, start=before + 1):
            event = _parse_event(text, calendar.timezones)
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
        spans = _occurrences(event, self._config.ics, replaced)
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
        timed = isinstance(start, dt.datetime)
        minutes = max((end - start).total_seconds() / 60, 0) if timed else DAY_MINUTES
        text = str(event.get("SUMMARY", "")) + str(event.get("DESCRIPTION", ""))
        return Activity(
            source_id=source_id,
            start=start
            if isinstance(start, dt.datetime)
            else dt.datetime.combine(start, dt.time()),
            end=end if isinstance(end, dt.datetime) and timed else None,
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
    "bad_recurrence": "RRULE, RDATE, EXDATE or RECURRENCE-ID cannot be read",
}
_RECURRENCE = {"RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}


def _parse_event(text: str, timezones: Sequence[str]) -> Any:
    """The icalendar event, or the slug of what is wrong with it."""
    if not text.rstrip().upper().endswith("END:VEVENT"):
        return "unclosed_event"
    whole = "BEGIN:VCALENDAR\r\n" + "".join(timezones) + text + "END:VCALENDAR\r\n"
    try:
        event = icalendar.Calendar.from_ical(whole).walk("VEVENT")[0]
    except Exception:  # noqa: BLE001 - whatever a library makes of hostile input
        return "malformed_event"
    broken = {name for name, _ in event.errors}
    try:
        start = event["DTSTART"].dt
        if not isinstance(start, dt.date):
            return "bad_start"
    except Exception:  # noqa: BLE001 - as above
        return "bad_start"
    if broken & _RECURRENCE:
        return "bad_recurrence"
    return event if _end_agrees(event, start) else "bad_end"


def _end_agrees(event: Any, start: dt.date) -> bool:
    """Whether the end is usable; an all-day event does without one, so a bad end is dropped."""
    try:
        if isinstance(event.end, dt.datetime) == isinstance(start, dt.datetime):
            return True
    except Exception:  # noqa: BLE001 - icalendar raises many kinds here
        pass
    if isinstance(start, dt.datetime):
        return False
    event.pop("DTEND", None)
    event.pop("DURATION", None)
    return True


def _replaced(events: Any) -> dict[str, set[Any]]:
    """Start times that an event with a RECURRENCE-ID replaces, by UID."""
    found: dict[str, set[Any]] = defaultdict(set)
    for event in events:
        moved = event.get("RECURRENCE-ID")
        if moved is not None:
            found[str(event.get("UID", ""))].add(_key(moved.dt))
    return found


def _key(when: dt.date | dt.datetime) -> Any:
    """Comparable whatever the zone is written like; a date stands for its day."""
    if isinstance(when, dt.datetime) and when.tzinfo:
        return when.astimezone(dt.UTC)
    return when


def _occurrences(
    event: Any, config: IcsConfig, replaced: set[Any]
) -> list[tuple[dt.date | dt.datetime, dt.date | dt.datetime]]:
    """Start and end of the occurrences, at most `max_occurrences`, within the horizon."""
    calendar = icalendar.Calendar()
    calendar.add_component(event)
    start = event["DTSTART"].dt
    rule = event.get("RRULE")
    rules = rule if isinstance(rule, list) else [rule] if rule else []
    days = float(config.horizon_days)
    for item in rules:
        period = _PERIOD_DAYS.get(str((item.get("FREQ") or ["YEARLY"])[0]).upper(), days)
        interval = max(int((item.get("INTERVAL") or [1])[0]), 1)
        days = min(days, period * interval * config.max_occurrences * _SLACK)
    try:
        until = start + dt.timedelta(days=days)
    except OverflowError:
        until = start
    found = recurring_ical_events.of(calendar).between(start, until)
    spans = sorted(
        ((o.start, o.end) for o in found if _key(o.start) not in replaced),
        key=lambda span: str(span[0]),
    )
    return spans[: config.max_occurrences]


def _priority(value: Any) -> float:
    """RFC 5545: 1 highest, 5 normal, 9 lowest, 0 undefined -> 1, 0.5, 0 and 0.5."""
    if value is None:
        return 0.0
    try:
        level = int(value)
    except (TypeError, ValueError):
        return 0.5
    return (9 - level) / 8 if 1 <= level <= 9 else 0.5  # noqa: PLR2004


def _people(event: Any) -> int:
    """Distinct attendees and the organiser."""
    found = event.get("ATTENDEE", [])
    people = {str(a).lower() for a in (found if isinstance(found, list) else [found])}
    if "ORGANIZER" in event:
        people.add(str(event["ORGANIZER"]).lower())
    return len(people)
