"""When a group of people acts over many weeks, and when their work is due."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random

from jepa_ray.synth.population import Person, portions

_SORTED_AT_ONCE = 4096


def moments(
    rng: Random, group: Sequence[Person], count: int, *, monday: dt.datetime, weeks: int
) -> Iterator[tuple[dt.datetime, int]]:
    """Draw times by the rhythms of a group, in bounded memory.

    Args:
        rng: Decides who acts and when.
        group: People; who is more active acts more often.
        count: Number of times, 0 or more.
        monday: When the first week begins; the times have its zone, or none.
        weeks: How many weeks the times are spread over, evenly.

    Yields:
        A time to the second and the number in `group` of who acts; week by week, and in order
        within a week as far as 4,096 of them go.
    """
    reached = list(accumulate(person.activity for person in group))
    for week, in_week in enumerate(portions(count, [1.0] * weeks)):
        begin = monday + dt.timedelta(weeks=week)
        for first in range(0, in_week, _SORTED_AT_ONCE):
            size = min(_SORTED_AT_ONCE, in_week - first)
            drawn = rng.choices(range(len(group)), cum_weights=reached, k=size)
            yield from sorted((group[who].moment(rng, begin), who) for who in drawn)


def due_date(rng: Random, created: dt.date) -> dt.date:
    """Draw a due date: one in ten the same day, else up to some weeks ahead, mostly a Friday."""
    if rng.random() < 0.1:
        return created
    weekday = 4 if rng.random() < 0.6 else rng.randrange(5)
    weeks = min(40, int(rng.expovariate(0.5)))
    day = created + dt.timedelta(days=weeks * 7 + (weekday - created.weekday()) % 7)
    return day if day > created else day + dt.timedelta(weeks=1)
