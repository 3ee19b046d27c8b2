"""iCalendar bytes -> VEVENT blocks: unfolding, decoding, cutting, before any library parses them.

Unusual choice: lines are unfolded as bytes, because real files fold inside a UTF-8 sequence; and
each VEVENT is cut out by its BEGIN and END lines, so one bad event costs one record, not its file.

Source: RFC 5545, sections 3.1 (folding) and 3.4 (calendar objects).
"""

import re
from dataclasses import dataclass, field

_FOLD = re.compile(rb"\r?\n[ \t]")
_NEWLINE = re.compile(r"\r\n|\n|\r")


@dataclass
class IcsCalendar:
    """One VCALENDAR of a file.

    Attributes:
        timezones: Its VTIMEZONE blocks, lines joined by CRLF.
        events: Its VEVENT blocks; an unfinished last one ends without END:VEVENT.
    """

    timezones: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


def read_calendars(data: bytes) -> list[IcsCalendar]:
    """Cut a file into its calendars.

    Args:
        data: The file's bytes; UTF-8, or else taken as Windows-1252.

    Returns:
        The calendars in order; none when there is neither a BEGIN:VCALENDAR nor an event.
    """
    calendars: list[IcsCalendar] = []
    block: list[str] = []
    inside = ""
    for line in _NEWLINE.split(_decode(_FOLD.sub(b"", data))):
        tag = line.strip().upper()
        if not inside:
            if tag == "BEGIN:VCALENDAR":
                calendars.append(IcsCalendar())
            elif tag in ("BEGIN:VEVENT", "BEGIN:VTIMEZONE"):
                calendars = calendars or [IcsCalendar()]  # its own BEGIN line is missing
                inside, block = tag[6:], [tag]
            continue
        if tag == "BEGIN:VEVENT":  # the one before was never closed
            _close(calendars[-1], inside, block)
            inside, block = "VEVENT", [tag]
            continue
        block.append(line)
        if tag in (f"END:{inside}", "END:VCALENDAR"):
            _close(calendars[-1], inside, block)
            inside, block = "", []
    if inside:
        _close(calendars[-1], inside, block)
    return calendars


def _close(calendar: IcsCalendar, inside: str, block: list[str]) -> None:
    target = calendar.events if inside == "VEVENT" else calendar.timezones
    target.append("\r\n".join(block) + "\r\n")


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
