"""`actor_day` windowing: the pure core."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.windows import (
    INDEX,
    MAX_DAYS,
    NO_OFFSET,
    Activity,
    ActivityBatch,
    DayRuns,
    actor_day_windows,
    combine,
    day_runs,
    days,
    record_windows,
    sparsify,
)

UTC = dt.UTC
MAY_2 = dt.datetime(2014, 5, 2, tzinfo=UTC)
MAIL = {"email_activity": 1.0, "text_length": 0.25, "source_confidence": 0.75}


def act(start=MAY_2, *, actor=7, features=MAIL, **more):
    return Activity("x", start, features, actor=actor, **more)


def spread(*activities):
    return day_runs(ActivityBatch.of("k", activities).columns)


def windows(*activities):
    """Rows by source_id: the dense window and the columns of the row."""
    columns, sparse = actor_day_windows(combine(spread(*activities).runs))
    dense = sparse.densify()
    assert len(columns) == len(dense)
    return {name: (dense[i], i, columns) for i, name in enumerate(columns.source_id)}


def slots(dense, feature):
    return np.flatnonzero(dense[:, INDEX[feature]]).tolist()


def one(*activities):
    ((dense, row, columns),) = windows(*activities).values()
    assert row == 0
    return dense, columns


def test_two_mails_of_one_day_are_one_window():
    dense, columns = one(act(MAY_2.replace(hour=6)), act(MAY_2.replace(hour=20, minute=51)))
    assert slots(dense, "email_activity") == [24, 83]
    assert columns.source_id == ["0000000000000007-2014-05-02"]
    assert columns.metadata == ['{"activities":2}']
    assert columns.start_us[0] == 16_192 * 86_400_000_000
    assert columns.end_us[0] - columns.start_us[0] == 86_400_000_000


def test_actors_and_days_stand_apart():
    found = windows(act(), act(actor=8), act(MAY_2 + dt.timedelta(days=1)))
    assert [name[-12:] for name in found] == ["7-2014-05-02", "7-2014-05-03", "8-2014-05-02"]


def test_what_meets_in_a_slot_combines_by_maximum():
    dense, _ = one(
        act(features={"text_length": 0.5, "priority": 0.25}),
        act(features={"text_length": 0.25, "priority": 0.75, "task": 1.0}),
    )
    found = {n: float(dense[0, INDEX[n]]) for n in ("text_length", "priority", "task")}
    assert found == {"text_length": 0.5, "priority": 0.75, "task": 1.0}


def test_one_activity_gives_the_slots_of_a_record_window():
    activities = [
        act(MAY_2.replace(hour=14, minute=1)),
        act(MAY_2.replace(hour=9), end=MAY_2.replace(hour=10, minute=30), actor=8),
        act(timed=False, actor=9),
        act(MAY_2.replace(hour=3), due=MAY_2.replace(hour=17), actor=10),
        act(MAY_2.replace(hour=3), due=MAY_2.date(), actor=11),
        act(slots={36: {}, 72: {"priority": 0.5}}, actor=12),
    ]
    record = record_windows(ActivityBatch.of("k", activities).columns).densify()
    columns, found = actor_day_windows(combine(spread(*activities).runs))
    assert columns.actor.tolist() == [7, 8, 9, 10, 11, 12]
    np.testing.assert_array_equal(found.densify(), record)


def test_an_activity_over_midnight_stands_on_both_days():
    late = MAY_2.replace(hour=23, minute=40)
    found = windows(act(late, end=late + dt.timedelta(hours=1)))
    assert [slots(dense, "email_activity") for dense, *_ in found.values()] == [
        [94, 95],
        [0, 1, 2],
    ]


def test_an_end_at_midnight_is_not_of_the_next_day():
    assert len(windows(act(end=MAY_2 + dt.timedelta(days=1)))) == 1
    assert len(windows(act(timed=False, end=MAY_2 + dt.timedelta(days=3)))) == 3


def test_an_activity_of_a_year_counts_on_its_first_days():
    found = spread(act(end=MAY_2 + dt.timedelta(days=365)))
    assert (found.shortened, found.activities) == (1, 1)
    assert len(windows(act(end=MAY_2 + dt.timedelta(days=365)))) == MAX_DAYS
    whole = spread(act(timed=False, end=MAY_2 + dt.timedelta(days=MAX_DAYS)))
    assert whole.shortened == 0
    assert (whole.runs.first.max(), whole.runs.last.min()) == (0, 95)


def test_a_due_date_on_another_day_is_an_activity_of_that_day():
    found = windows(act(due=dt.date(2014, 5, 9)), act(due=MAY_2.replace(day=8, hour=12)))
    assert {n[-10:]: slots(d, "deadline") for n, (d, *_) in found.items()} == {
        "2014-05-02": [],
        "2014-05-08": [48],
        "2014-05-09": list(range(96)),
    }
    dense, row, columns = found["0000000000000007-2014-05-09"]
    assert slots(dense, "email_activity") == []
    assert dense[5, INDEX["source_confidence"]] == 0.75
    assert columns.metadata[row] == '{"activities":1}'


def test_a_due_date_without_a_start_is_enough():
    dense, columns = one(act(None, due=dt.date(2014, 5, 9)))
    assert slots(dense, "deadline") == list(range(96))
    assert columns.timed.tolist() == [False]


def test_a_due_date_on_its_own_day_is_no_further_activity():
    assert one(act(due=MAY_2.date()))[1].metadata == ['{"activities":1}']


def test_nobody_known_is_the_project_and_stands_apart_from_a_person():
    found = windows(act(actor=0, project=7), act())
    assert list(found) == ["0000000000000007-2014-05-02", "project-0000000000000007-2014-05-02"]
    _, row, columns = found["project-0000000000000007-2014-05-02"]
    assert (columns.actor[row], columns.project[row]) == (0, 7)


def test_what_has_no_actor_or_no_date_is_counted():
    found = spread(act(actor=0), act(None), act(None, actor=0), act(), act(None, slots={3: {}}))
    assert found.skipped == {"no_date": 3, "no_actor": 1}
    assert found.activities == 1


def test_no_activity_gives_no_window():
    assert windows() == {}
    assert spread().skipped == {}


def test_the_wall_clock_of_an_activity_decides_its_day():
    west = dt.timezone(dt.timedelta(hours=-8))
    found = windows(
        act(dt.datetime(2014, 5, 1, 23, tzinfo=west)), act(dt.datetime(2014, 5, 2, 7, tzinfo=UTC))
    )
    assert [n[-10:] for n in found] == ["2014-05-01", "2014-05-02"]
    assert next(iter(found.values()))[2].offset_minutes.tolist() == [-480, 0]


def test_what_the_activities_of_a_day_share_is_kept_and_the_rest_is_not():
    _, columns = one(act(project=3), act(project=3))
    assert (columns.project[0], columns.offset_minutes[0]) == (3, 0)
    other = MAY_2.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
    _, columns = one(act(project=3), act(project=3), act(other, project=4))
    assert (columns.project[0], columns.offset_minutes[0]) == (0, NO_OFFSET)


def test_a_negative_zero_does_not_make_the_order_matter():
    a, b = act(features=MAIL | {"priority": -0.0}), act(features=MAIL | {"priority": 0.0})
    assert one(a, b)[0].tobytes() == one(b, a)[0].tobytes()


def test_an_activity_without_any_signal_still_has_its_window():
    dense, _ = one(act(features={}))
    assert not dense[:, 2:].any()


_FEATURE = st.sampled_from([0.0, 0.25, 0.5, 1.0])
_ACTIVITIES = st.lists(
    st.builds(
        lambda actor, project, minute, length, timed, due, priority, task: act(
            None if minute is None else MAY_2 + dt.timedelta(minutes=minute),
            end=None if minute is None else MAY_2 + dt.timedelta(minutes=minute + length),
            timed=timed,
            due=None if due is None else (MAY_2 + dt.timedelta(days=due)).date(),
            actor=actor,
            project=project,
            features={"priority": priority, "task": task, "source_confidence": 0.5},
        ),
        st.integers(0, 2), st.integers(0, 1), st.none() | st.integers(0, 4000),
        st.integers(0, 3000), st.booleans(), st.none() | st.integers(0, 3), _FEATURE, _FEATURE,
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(_ACTIVITIES, st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_order_and_any_partition_gives_the_same_windows(activities, rng, parts):
    whole = actor_day_windows(combine(spread(*activities).runs))
    shuffled = rng.sample(activities, len(activities))
    pieces = [combine(spread(*shuffled[i::parts]).runs) for i in range(parts)]
    found = actor_day_windows(combine(DayRuns.concat(pieces)))
    for name in ("source_id", "metadata"):
        assert getattr(found[0], name) == getattr(whole[0], name)
    for name in ("start_us", "actor", "project", "offset_minutes", "timed"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(whole[0], name))
    for name in ("offsets", "first", "last", "values"):
        np.testing.assert_array_equal(getattr(found[1], name), getattr(whole[1], name))


@settings(deadline=None)
@given(_ACTIVITIES)
def test_runs_are_those_of_the_dense_window(activities):
    _, found = actor_day_windows(combine(spread(*activities).runs))
    again = sparsify(found.densify())
    for name in ("offsets", "first", "last", "values"):
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))


@settings(deadline=None, max_examples=30)
@given(_ACTIVITIES)
def test_how_much_is_combined_at_once_does_not_matter(activities):
    runs = spread(*activities).runs
    whole = combine(runs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(days, "_MAX_CELLS", 200)
        cut = combine(runs)
    for name in DayRuns.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name))


def test_a_long_day_of_one_actor_is_cut_and_whole_again(monkeypatch):
    monkeypatch.setattr(days, "_MAX_CELLS", 500)
    found = combine(spread(*(act(timed=False, features={"task": i / 40}) for i in range(40))).runs)
    assert (len(found), found.activities.tolist(), found.values.max()) == (
        1,
        [40],
        np.float32(39 / 40),
    )
