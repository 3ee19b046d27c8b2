"""Occurrences of a recurring VEVENT, in time and memory that the rule cannot choose.

`recurring_ical_events` reads RRULE, RDATE, EXDATE and periods; it asks dateutil for all occurrences
up to a date, and dateutil goes on to the year 9999 for a rule that never matches, for ever with
`INTERVAL=0`, and lists 86,400 occurrences a day where a rule says so.

Unusual choice: we run dateutil's own loop over a copy of its globals in which the class that serves
one period after the other counts them. A rule ends after the periods of the horizon, whether or not
they held an occurrence, and after as many occurrences as are wanted. Nothing outside is changed;
docs/decisions/0005-bounded-recurrences.md says what else was weighed.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import islice, takewhile
from types import FunctionType
from typing import Any

from dateutil.rrule import rrule
from recurring_ical_events import EventAdapter, Series

from jepa_ray.config import IcsConfig

Span = tuple[dt.date | dt.datetime, dt.date | dt.datetime]

_PERIOD_DAYS = {
    "SECONDLY": 1 / 86400, "MINUTELY": 1 / 1440, "HOURLY": 1 / 24, "DAILY": 1.0, "WEEKLY": 7.0,
    "MONTHLY": 28.0, "YEARLY": 365.0,
}  # fmt: skip
_MAX_PERIODS = {"SECONDLY": 40, "MINUTELY": 4000}
_OTHER_PERIODS = 20_000
"""Periods without occurrence at most; one with BYHOUR and BYMINUTE may cost a step a second."""

_MAX_RULES = 8
_MAX_RULE_CHARS = 2048


def occurrences(event: Any, config: IcsConfig, replaced: set[Any]) -> list[Span]:
    """Start and end of the occurrences, at most `max_occurrences`, within the horizon.

    Args:
        event: An icalendar VEVENT with RRULE or RDATE and without RECURRENCE-ID.
        config: How far to expand.
        replaced: Starts (as of `moment`) that other events stand for.

    Raises:
        ValueError: There are too many rules, or one is too long or takes no steps.
    """
    start = event["DTSTART"].dt
    try:
        until = start + dt.timedelta(days=config.horizon_days)
    except OverflowError:
        until = start
    _check_rules(event)
    kind = _bounded_series(config.horizon_days, config.max_occurrences + len(replaced))
    series = kind([EventAdapter(event)])
    found = sorted(
        ((o.start, o.end) for o in series.between(start, until) if moment(o.start) not in replaced),
        key=lambda span: str(span[0]),
    )
    return found[: config.max_occurrences]


def moment(when: dt.date | dt.datetime) -> Any:
    """Comparable whatever the zone is written like; a date stands for its day."""
    if isinstance(when, dt.datetime) and when.tzinfo:
        return when.astimezone(dt.UTC)
    return when


def _check_rules(event: Any) -> None:
    found = event.get("RRULE") or []
    rules = found if isinstance(found, list) else [found]
    if len(rules) > _MAX_RULES or any(len(rule.to_ical()) > _MAX_RULE_CHARS for rule in rules):
        raise ValueError("too many rules, or one that is too long")
    if any(int((rule.get("INTERVAL") or [1])[0]) < 1 for rule in rules):
        raise ValueError("INTERVAL is less than 1")


def _bounded_series(days: int, wanted: int) -> type[Any]:
    """A series of the library whose rules end after so many days' periods or occurrences."""

    class Rules(Series.RecurrenceRules):  # type: ignore[misc]  # the library has no types
        def __init__(self, core: Any) -> None:
            super().__init__(core)
            limit = wanted + len(self.exdates)
            rules: list[Any] = self.rrules  # type: ignore[has-type]
            self.rrules = [_BoundedRule(rule, days, limit) for rule in rules]

    class Bounded(Series):  # type: ignore[misc]  # as above
        RecurrenceRules = Rules

    return Bounded


class _BoundedRule:
    """What the library needs of a dateutil rule, or of the set of RDATEs."""

    def __init__(self, rule: Any, days: int, wanted: int) -> None:
        self.until = rule.until
        self._rule = rule
        self._wanted = wanted
        self._periods = _periods(rule, days, wanted) if isinstance(rule, rrule) else None

    def between(self, after: Any, before: Any, *, inc: bool) -> Iterator[dt.datetime]:
        """Occurrences from `after` to `before`; both count, as the library always wants it."""
        assert inc
        found = takewhile(lambda when: when <= before, self._all())
        yield from islice((when for when in found if when >= after), self._wanted)

    def _all(self) -> Iterator[dt.datetime]:
        if self._periods is None:
            yield from self._rule
            return
        self._rule.periods_left = self._periods
        try:
            yield from _loop(self._rule)
        except _EnoughError:
            return


def _periods(rule: Any, days: int, wanted: int) -> int:
    """Periods of a rule in so many days, and a little more."""
    name = FREQNAMES[rule._freq]  # noqa: SLF001 - dateutil has no other access
    step = _PERIOD_DAYS[name] * rule._interval  # noqa: SLF001
    return min(int(days / step) + 3, wanted + _MAX_PERIODS.get(name, _OTHER_PERIODS))


class _EnoughError(Exception):
    """All periods of the horizon have been looked at."""


_globals = rrule._iter.__globals__  # noqa: SLF001 - see the top of the file
FREQNAMES: list[str] = _globals["FREQNAMES"]


_Periods: Any = _globals["_iterinfo"]


class _Counting(_Periods):  # type: ignore[misc]  # as above
    """Serves a rule's periods one after the other, as many as it may have."""

    def _count(self) -> None:
        self.rrule.periods_left -= 1
        if self.rrule.periods_left < 0:
            raise _EnoughError

    def ydayset(self, year: int, month: int, day: int) -> Any:
        self._count()
        return super().ydayset(year, month, day)

    def mdayset(self, year: int, month: int, day: int) -> Any:
        self._count()
        return super().mdayset(year, month, day)

    def wdayset(self, year: int, month: int, day: int) -> Any:
        self._count()
        return super().wdayset(year, month, day)

    def ddayset(self, year: int, month: int, day: int) -> Any:
        self._count()
        return super().ddayset(year, month, day)


_loop = FunctionType(rrule._iter.__code__, {**_globals, "_iterinfo": _Counting})  # noqa: SLF001
