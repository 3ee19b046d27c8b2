"""VTIMEZONE blocks of the zones that the made-up calendars use, as content lines by TZID."""


def _changing(tzid: str, winter: str, summer: str, first: str, last: str) -> list[str]:
    """Describe a zone with daylight saving time.

    Args:
        tzid: Name of the zone.
        winter: Standard offset from UTC, such as `+0100`.
        summer: Daylight offset from UTC.
        first: When summer begins: the first such day since 1970, weekday and local time, in
            the form `0329 -1SU 020000`.
        last: When summer ends.
    """
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    for part, rule, before, after in (
        ("DAYLIGHT", first, winter, summer),
        ("STANDARD", last, summer, winter),
    ):
        day, weekday, clock = rule.split()
        lines += [
            f"BEGIN:{part}",
            f"TZOFFSETFROM:{before}",
            f"TZOFFSETTO:{after}",
            f"DTSTART:1970{day}T{clock}",
            f"RRULE:FREQ=YEARLY;BYDAY={weekday};BYMONTH={int(day[:2])}",
            f"END:{part}",
        ]
    return [*lines, "END:VTIMEZONE"]


def _fixed(tzid: str, offset: str) -> list[str]:
    """Describe a zone that never changes its clocks."""
    return [
        "BEGIN:VTIMEZONE",
        f"TZID:{tzid}",
        "BEGIN:STANDARD",
        f"TZOFFSETFROM:{offset}",
        f"TZOFFSETTO:{offset}",
        "DTSTART:19700101T000000",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


_OLD_MOZILLA = "/mozilla.org/20070129_1/Europe/Brussels"  # a global TZID of old exports

ZONES: dict[str, list[str]] = {
    "America/Denver": _changing(
        "America/Denver", "-0700", "-0600", "0308 2SU 020000", "1101 1SU 020000"
    ),
    "Asia/Tokyo": _fixed("Asia/Tokyo", "+0900"),
    "Europe/Lisbon": _changing(
        "Europe/Lisbon", "+0000", "+0100", "0329 -1SU 010000", "1025 -1SU 020000"
    ),
    _OLD_MOZILLA: _changing(_OLD_MOZILLA, "+0100", "+0200", "0329 -1SU 020000", "1025 -1SU 030000"),
}
