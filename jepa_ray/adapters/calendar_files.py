"""What adapters of calendar files share: one VEVENT, one record; recurrences expand, bounded.

An all-day event fills the day, a timed one the slots it touches on the wall clock of its TZID. In
holiday calendars each all-day event is a holiday; elsewhere CATEGORIES says which are. A VEVENT
with RRULE or RDATE becomes one window per occurrence, less EXDATE and the occurrences that a VEVENT
of the same UID with a RECURRENCE-ID replaces: that one is a record of its own.
"""

import datetime as dt
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jepa_ray.adapters.base import Shard, SourceFile, file_shards, whole_file
from jepa_ray.adapters.record_adapters import FileAdapter
from jepa_ray.adapters.recurrence import occurrences
from jepa_ray.adapters.vevent import (
    DETAILS,
    categories,
    learn_timezones,
    on_clock_of,
    parse_event,
    people,
    priority,
    replaced_starts,
)
from jepa_ray.readers import IcsCalendar, RawBlock, RawItem, read_calendars
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
HOLIDAY_CATEGORIES = {"holiday", "holidays", "public holiday", "public holidays"}
_SHARD_BYTES = 1 << 20
Outcome = Activity | Rejected | Skipped


class CalendarFiles(FileAdapter):
    """Adapter of a folder of calendar files; a dataset adds its `info` and `version`.

    Attributes:
        holiday_calendars: Whether every all-day event is a holiday.
    """

    kind: ClassVar = "calendar_event"
    holiday_calendars: ClassVar = True

    def shards(self, root: Path) -> list[Shard]:
        """About a megabyte of files a shard."""
        patterns = (self.info.path, f"{self.info.path.removesuffix('.ics')}.ICS")
        return file_shards(root, patterns, shard_bytes=_SHARD_BYTES)

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """The file as one item."""
        return whole_file(file, self._config)

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
        learn_timezones(calendar.timezones)
        for number, text in enumerate(calendar.events, start=before + 1):
            event = parse_event(text)
            if isinstance(event, str):
                yield Rejected(f"{label}#{number}", event, DETAILS[event])
            else:
                events[number] = event
        replaced = replaced_starts(events.values())
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
            return [Rejected(where, "bad_recurrence", DETAILS["bad_recurrence"])]
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
        timed, minutes = False, float(DAY_MINUTES)
        until = dt.datetime.combine(end, dt.time())
        if isinstance(start, dt.datetime):
            timed, until = True, on_clock_of(start, end)
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
                "holiday": float(self._is_holiday(event, timed)),
                "duration": minutes / DAY_MINUTES,
                "priority": priority(event.get("PRIORITY")),
                "participant_count": people(event) / PEOPLE_SCALE,
                "text_length": len(text) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(label),
            category="all_day" if not timed else "timed",
            expanded=again,
        )

    def _is_holiday(self, event: Any, timed: bool) -> bool:
        if self.holiday_calendars:
            return not timed
        return not HOLIDAY_CATEGORIES.isdisjoint(categories(event))
