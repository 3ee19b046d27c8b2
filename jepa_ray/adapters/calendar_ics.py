"""Holiday calendars of today: every all-day event is a holiday.

Source: Mozilla Thunderbird's holiday calendars (licence and citation: docs/sources.md).
"""

from typing import ClassVar

from jepa_ray.adapters.base import SourceInfo
from jepa_ray.adapters.calendar_files import CalendarFiles


class CalendarIcs(CalendarFiles):
    """Adapter of the dataset `calendar_ics_thunderbird`."""

    info: ClassVar = SourceInfo(
        dataset="calendar_ics_thunderbird",
        group="calendar",
        path="calendar_ics/thunderbird/*.ics",
        licence="MPL-2.0 (thunderbird-website)",
        how_to_get="https://www.thunderbird.net/calendar/holidays/ (media/caldata/autogen)",
        citation="Mozilla Thunderbird: holiday calendars",
    )
    version: ClassVar = 1


ADAPTER = CalendarIcs
