import datetime as dt
from collections import Counter
from random import Random

from jepa_ray.synth.moments import due_date, moments
from jepa_ray.synth.population import people

MONDAY = dt.datetime(2021, 1, 4, tzinfo=dt.UTC)


def drawn(count, weeks=10, seed=1):
    rng = Random(seed)
    group = people(rng, 5)
    return group, list(moments(rng, group, count, monday=MONDAY, weeks=weeks))


def test_times_are_in_order_and_lie_in_the_weeks():
    _, found = drawn(2000)
    times = [moment for moment, _ in found]
    assert len(times) == 2000
    assert times == sorted(times)
    assert MONDAY <= times[0] <= times[-1] < MONDAY + dt.timedelta(weeks=10)


def test_every_week_has_its_share():
    _, found = drawn(1000)
    assert set(Counter((moment - MONDAY).days // 7 for moment, _ in found).values()) == {100}


def test_who_is_more_active_acts_more_often():
    group, found = drawn(5000)
    acts = Counter(who for _, who in found)
    by_activity = sorted(range(len(group)), key=lambda who: group[who].activity)
    assert acts[by_activity[-1]] > acts[by_activity[0]]


def test_no_times_are_drawn_where_none_are_asked_for():
    assert drawn(0)[1] == []


def test_a_due_date_never_lies_before_the_creation_and_is_mostly_a_friday():
    rng, created = Random(1), dt.date(2021, 3, 3)
    days = [due_date(rng, created) for _ in range(2000)]
    assert min(days) == created
    assert 0.05 < days.count(created) / 2000 < 0.15
    assert 0.4 < sum(day.weekday() == 4 for day in days) / 2000 < 0.8
