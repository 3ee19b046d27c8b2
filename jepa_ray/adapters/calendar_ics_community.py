"""Public events of cities, most with a time of day: for windows of a day and for replay. An extra.

Source: https://github.com/judell/community-calendar (licence and citation: docs/sources.md).
These are no holiday calendars: only an event whose CATEGORIES names a holiday is one. A file that
is an HTML error page goes to the quarantine.
"""

from typing import ClassVar

from jepa_ray.adapters.base import SourceInfo
from jepa_ray.adapters.calendar_files import CalendarFiles


class CalendarIcsCommunity(CalendarFiles):
    """Adapter of the dataset `calendar_ics_community`."""

    info: ClassVar = SourceInfo(
        dataset="calendar_ics_community",
        group="calendar",
        path="calendar_ics/community/**/*.ics",
        licence="Apache-2.0",
        how_to_get="https://github.com/judell/community-calendar (cities/*/*.ics)",
        citation="J. Udell: community-calendar",
        extra=True,
    )
    version: ClassVar = 1
    holiday_calendars: ClassVar = False


ADAPTER = CalendarIcsCommunity
