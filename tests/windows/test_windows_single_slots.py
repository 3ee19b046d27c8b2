"""Records that mark single slots of a day, with values of their own."""

import datetime as dt

import numpy as np

from jepa_ray.windows import INDEX, NO_TIME, Activity, ActivityBatch, record_windows

TASK, PEOPLE, DEADLINE = (INDEX[n] for n in ("task", "participant_count", "deadline"))
SLOTS = {84: {"participant_count": 0.4}, 36: {"participant_count": 7.0}}


def dense(*activities):
    return record_windows(ActivityBatch.of("k", activities).columns).densify()


def test_only_the_marked_slots_have_the_values_common_and_own():
    (window,) = dense(Activity("a", None, {"task": 1.0}, slots=SLOTS))
    assert np.flatnonzero(window[:, TASK]).tolist() == [36, 84]
    assert window[[36, 84], PEOPLE].tolist() == [1.0, np.float32(0.4)]


def test_neighbours_keep_their_windows_and_their_order():
    start = dt.datetime(2015, 1, 1, 12, tzinfo=dt.UTC)
    plain = Activity("b", start, {"task": 1.0})
    due = Activity("c", start, {"task": 1.0}, due=dt.date(2015, 1, 1))
    marks = Activity("a", None, {"task": 1.0}, slots=SLOTS)
    windows = dense(plain, marks, due, marks, Activity("d", None, {"task": 1.0}))
    found = [np.flatnonzero(w[:, TASK]).tolist() for w in windows]
    assert found == [[48], [36, 84], [48], [36, 84], list(range(96))]
    assert [int(w[:, DEADLINE].sum()) for w in windows] == [0, 0, 96, 0, 0]


def test_slots_make_a_record_timed_without_a_date():
    columns = ActivityBatch.of(
        "k", [Activity("a", None, {}, slots=SLOTS), Activity("b", None, {}, slots={})]
    ).columns
    assert columns.timed.tolist() == [True, False]
    assert columns.start_us.tolist() == [NO_TIME] * 2


def test_batches_with_and_without_slots_join():
    batches = [
        ActivityBatch.of("k", [Activity("a", None, {"task": 1.0}, slots=slots)])
        for slots in (None, SLOTS)
    ]
    windows = record_windows(ActivityBatch.join("k", batches).columns).densify()
    assert [int(w[:, TASK].sum()) for w in windows] == [96, 2]
