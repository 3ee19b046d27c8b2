"""`Date` headers of mails: Pacific clocks, working hours, four years."""

from functools import cache

import numpy as np

_FIRST, _DAYS = np.datetime64("1999-05-03"), 980
_WEEKDAY_SHARES = (1.0, 1.05, 1.1, 1.05, 0.9, 0.12, 0.15)  # from Monday on
_SUMMERS = {  # daylight saving time, its last day not included
    1999: ("1999-04-04", "1999-10-31"), 2000: ("2000-04-02", "2000-10-29"),
    2001: ("2001-04-01", "2001-10-28"), 2002: ("2002-04-07", "2002-10-27"),
}  # fmt: skip


def dates(rng: np.random.Generator, count: int) -> list[bytes]:
    """Draw dates as `Mon, 14 May 2001 16:39:00 -0700 (PDT)`."""
    days, shares = _days()
    chosen = rng.choice(len(days), count, p=shares).tolist()
    seconds = np.clip(rng.normal(12.5, 3.4, count) * 3600, 0, 86_399).astype(int)
    return [
        b"%b %02d:%02d:%02d %b" % (days[day][0], s // 3600, s // 60 % 60, s % 60, days[day][1])
        for day, s in zip(chosen, seconds.tolist(), strict=True)
    ]


@cache
def _days() -> tuple[list[tuple[bytes, bytes]], list[float]]:
    """Each day as a header has it and its zone, and how often it is drawn: ever more often."""
    found, weights = [], []
    for number, day in enumerate(_FIRST + np.arange(_DAYS)):
        date = day.item()
        begin, end = (np.datetime64(text) for text in _SUMMERS[date.year])
        zone = b"-0700 (PDT)" if begin <= day < end else b"-0800 (PST)"
        text = f"{date:%a}, {date.day} {date:%b} {date.year}"
        found.append((text.encode(), zone))
        weights.append(_WEEKDAY_SHARES[date.weekday()] * (0.2 + number / _DAYS))
    total = sum(weights)
    return found, [weight / total for weight in weights]
