"""Calendars in the form of Thunderbird's holiday files: one `.ics` per made-up country.

Lines end in CRLF and are folded at 75 octets, also inside a UTF-8 sequence. Three events in four
are all-day holidays; the others are meetings of the country's people, with a zone, a length as
`DTEND` or `DURATION`, and some recurrences. The first file has no event, and every sixth is the
second-language edition of the one before: same days, same UIDs, other words.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from jepa_ray.synth.output_files import whole_file
from jepa_ray.synth.population import Person, generator, made_up_name, people, portions, words
from jepa_ray.synth.time_zones import ZONES

_DATASET = "calendar_ics_thunderbird"
_FOLD_AT = 75  # octets, without the line break
_EVENTS_A_FILE = 60
_HOLIDAYS_A_YEAR = 18
_FIRST_YEAR = 2025
_FIRST_MONDAY = dt.datetime(2025, 1, 6)  # noqa: DTZ001  # local time, the zone stands beside it
_STAMP = "20250430T135712Z"
_ACCENTED = """
    řelka žumår ñolë čivö ḷarà şemiž ťuno ïvelň 祝ノ日 星ミラ 風ナラ 灯リノ мирол засвет
""".split()  # noqa: SIM905  # a text of words reads better than a list


def write(root: Path, seed: int, records: int) -> int:
    """Write about one file per 60 VEVENTs, at least four; return the number of VEVENTs."""
    folder = root / "calendar_ics" / "thunderbird"
    countries = max(3, records // _EVENTS_A_FILE)
    with whole_file(folder / f"{made_up_name(0)}Holidays.ics") as stream:
        stream.writelines(_calendar([]))
    for index, events in enumerate(portions(records, [1.0] * countries), start=1):
        second = index % 6 == 2
        country = index - 1 if second else index
        name = made_up_name(country) + "Holidays" + ("Northern" if second else "")
        dates = generator(seed, _DATASET, country)
        wording = generator(seed, _DATASET, country, index)
        with whole_file(folder / f"{name}.ics") as stream:
            stream.writelines(_calendar(_events(dates, wording, events, accented=second)))
    return records


def _calendar(events: Iterable[list[str]]) -> Iterator[bytes]:
    """Yield the lines of one file, folded."""
    yield from _folded("BEGIN:VCALENDAR")
    yield from _folded("VERSION:2.0")
    yield from _folded("PRODID:-//example.org/NONSGML Made-up Calendar V1.0//EN")
    for lines in events:
        for line in lines:
            yield from _folded(line)
    yield from _folded("END:VCALENDAR")


def _folded(line: str) -> Iterator[bytes]:
    raw = line.encode()
    yield raw[:_FOLD_AT] + b"\r\n"
    for first in range(_FOLD_AT, len(raw), _FOLD_AT - 1):
        yield b" " + raw[first : first + _FOLD_AT - 1] + b"\r\n"


def _events(dates: Random, wording: Random, count: int, *, accented: bool) -> Iterator[list[str]]:
    """Yield a VTIMEZONE, then the VEVENTs of one country, each as its content lines.

    Args:
        dates: Decides days, times, UIDs and forms; the same for two editions of one country.
        wording: Decides the words.
        count: Number of VEVENTs.
        accented: Whether most words are not ASCII.
    """
    zone = dates.choice(list(ZONES))
    staff = people(dates, 12)
    yield ZONES[zone]
    days = sorted((dates.randint(1, 12), dates.randint(1, 28)) for _ in range(_HOLIDAYS_A_YEAR))
    for number in range(count):
        title = words(wording, wording.randint(1, 4)).title()
        if accented or wording.random() < 0.2:
            title += " " + " ".join(wording.choices(_ACCENTED, k=3))
        if dates.random() < 0.25:
            yield _wrapped(_meeting(dates, staff, zone, number), title, dates, "Meetings", "OPAQUE")
        else:
            year, day = divmod(number, _HOLIDAYS_A_YEAR)
            start = dt.date(_FIRST_YEAR + year, *days[day])
            note = f"DESCRIPTION:Public holiday: {title} is kept\\, {words(wording, 8)}\\, by all"
            yield _wrapped([*_holiday(dates, start), note], title, dates, "Holidays", "TRANSPARENT")


def _wrapped(lines: list[str], title: str, dates: Random, kind: str, shown: str) -> list[str]:
    """Put the lines that every VEVENT has around those of one."""
    return [
        "BEGIN:VEVENT",
        f"SUMMARY:{title} ",
        *lines,
        f"DTSTAMP:{_STAMP}",
        f"UID:{dates.randbytes(16).hex()}-all",
        f"CATEGORIES:{kind}",
        "CLASS:public",
        f"LAST-MODIFIED:{_STAMP}",
        f"TRANSP:{shown}",
        "END:VEVENT",
    ]


def _holiday(dates: Random, start: dt.date) -> list[str]:
    """Place an all-day event; one in fifteen comes again for some years, some with a gap."""
    length = 1 if dates.random() < 0.95 else dates.randint(2, 5)
    lines = [
        f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
        f"DTEND;VALUE=DATE:{start + dt.timedelta(days=length):%Y%m%d}",
    ]
    form = dates.random()
    if form < 0.04:
        lines.append("RRULE:FREQ=YEARLY;COUNT=3")
    elif form < 0.07:
        lines.append(f"RRULE:FREQ=YEARLY;UNTIL={start.year + 3}1231")
    if form < 0.02 or 0.04 <= form < 0.05:
        lines.append(f"EXDATE;VALUE=DATE:{start.replace(year=start.year + 1):%Y%m%d}")
    return lines


def _meeting(dates: Random, staff: list[Person], zone: str, number: int) -> list[str]:
    """Place a meeting in somebody's working hours, on a quarter of an hour."""
    host, *guests = dates.sample(staff, k=dates.randint(1, 7))
    moment = host.moment(dates, _FIRST_MONDAY + dt.timedelta(weeks=number * 3 % 156))
    hour = max(4, moment.hour)  # the clocks change at 2 or 3: such a time may not exist
    start = moment.replace(hour=hour, minute=moment.minute // 15 * 15, second=0)
    minutes = dates.choice((15, 30, 30, 45, 60, 60, 60, 90, 120, 240))
    lines = [f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}"]
    if dates.random() < 0.4:
        lines.append(f"DURATION:PT{minutes}M" if minutes % 60 else f"DURATION:PT{minutes // 60}H")
    else:
        end = start + dt.timedelta(minutes=minutes)
        lines.append(f"DTEND;TZID={zone}:{end:%Y%m%dT%H%M%S}")
    weeks = dates.choice((0, 0, 4, 8, 12))
    if weeks and dates.random() < 0.5:
        lines.append(f"RRULE:FREQ=WEEKLY;COUNT={weeks}")
    elif weeks:
        lines.append(f"RRULE:FREQ=WEEKLY;UNTIL={start + dt.timedelta(weeks=weeks):%Y%m%d}T235959Z")
    if weeks and dates.random() < 0.5:
        left_out = start + dt.timedelta(weeks=dates.randrange(1, weeks))
        lines.append(f"EXDATE;TZID={zone}:{left_out:%Y%m%dT%H%M%S}")
    lines.append(f'ORGANIZER;CN="{host.first} {host.last}":mailto:{host.address}')
    lines += [
        f'ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN="{guest.first} {guest.last}":'
        f"mailto:{guest.address}"
        for guest in guests
    ]
    return lines
