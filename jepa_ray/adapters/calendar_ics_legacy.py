"""Older holiday calendars: RRULE, EXDATE, TZID, RECURRENCE-ID and bad encodings. An extra.

Source: Mozilla Thunderbird's holiday calendars (licence and citation: docs/sources.md).
"""

from typing import ClassVar

from jepa_ray.adapters.base import SourceInfo
from jepa_ray.adapters.calendar_files import CalendarFiles


class CalendarIcsLegacy(CalendarFiles):
    """Adapter of the dataset `calendar_ics_legacy`."""

    info: ClassVar = SourceInfo(
        dataset="calendar_ics_legacy",
        group="calendar",
        path="calendar_ics/legacy/*.ics",
        licence="MPL-2.0 (thunderbird-website)",
        how_to_get="https://github.com/thunderbird/thunderbird-website (media/caldata/*.ics)",
        citation="Mozilla Thunderbird: holiday calendars",
        extra=True,
    )
    version: ClassVar = 1


ADAPTER = CalendarIcsLegacy
