"""What the tasks hide from every arm."""

import json
from dataclasses import replace

import numpy as np
import pytest

from jepa_ray.evaluate.probes import window_tasks
from jepa_ray.evaluate.probes.arms import embedded, inputs
from jepa_ray.evaluate.probes.problem import Skip, require_enough
from jepa_ray.evaluate.probes.reidentify import guesses, reidentification
from jepa_ray.evaluate.probes.votes import votes
from jepa_ray.windows import INDEX
from tests.evaluate.probes.made import CONFIG, busy, empty, encoders, sample

PARTIAL = (window_tasks.hidden_activity, window_tasks.next_activity, window_tasks.part_of_day)


@pytest.mark.parametrize("make", PARTIAL)
def test_nothing_of_a_hidden_slot_is_in_the_input(make):
    made = make(sample(busy(400)), CONFIG)
    assert made.hidden is not None
    assert not made.x[made.hidden].any()
    assert len(np.unique(made.y)) > 1


@pytest.mark.parametrize("make", PARTIAL)
def test_what_is_hidden_does_not_reach_an_embedding(make):
    made = make(sample(busy(400)), CONFIG)
    changed = made.x.copy()
    changed[made.hidden] = 1
    both = encoders()
    before, after = (
        inputs(m, embedded(m, both, CONFIG), CONFIG) for m in (made, replace(made, x=changed))
    )
    for arm in ("ours", "untrained"):
        np.testing.assert_allclose(before[arm], after[arm], atol=1e-5)


def test_who_is_asked_about_does_not_depend_on_what_is_hidden():
    """Else a day with nothing hidden would not be asked about, and that would be the answer."""
    dense = busy(400)
    first = window_tasks.hidden_activity(sample(dense), CONFIG)
    made = sample(dense)
    place = window_tasks._drawn(made, len(window_tasks._SPAN_STARTS), CONFIG, 2)
    for row, p in enumerate(place):
        start = window_tasks._SPAN_STARTS[p]
        dense[row, start : start + 24, 2:] = 0
    bare = replace(sample(dense), twin=made.twin)
    second = window_tasks.hidden_activity(bare, CONFIG)
    assert (first.x == second.x).all()
    assert not second.y.any()


def test_days_are_twins_by_what_is_seen_of_them_and_not_by_their_labels():
    dense = busy(40)
    hidden = np.zeros((40, 96), bool)
    hidden[:, 40:64] = True
    dense[1] = dense[0]
    dense[1, 40:64, 2:] = np.float32(0.5)

    def blank(x, rows):
        x[:, :, 2:][hidden[rows]] = 0

    twin = window_tasks._seen_twins(sample(dense), np.arange(40), blank)
    assert twin[0] == twin[1]
    assert twin[0] != twin[2]


@pytest.mark.parametrize("make", PARTIAL)
def test_no_duration_tells_what_comes_after_what_is_seen(make):
    dense = busy(400)
    dense[:, :, INDEX["duration"]] = 0.25 * (dense[:, :, INDEX["email_activity"]] > 0)
    made = make(sample(dense), CONFIG)
    assert not made.x[:, :, INDEX["duration"]].any()
    assert made.x[:, :, INDEX["email_activity"]].any()


def test_a_day_that_one_event_fills_is_not_asked_about():
    dense = busy(400)
    dense[:, :, INDEX["calendar_event"]] = 1
    made = window_tasks.hidden_activity(sample(dense), CONFIG)
    assert not len(made.y)


def test_record_windows_have_nothing_hidden():
    with pytest.raises(Skip, match="actor_day"):
        window_tasks.hidden_activity(sample(busy(40), actor_day=False), CONFIG)


def test_the_weekend_is_saturday_and_sunday():
    made = sample(busy(1600), actors=400)
    made.start_us[:] = (np.arange(1600) % 399 + 4) * 86_400_000_000  # from Monday 1970-01-05 on
    found = window_tasks._mixed(made, np.ones(1600, bool), np.arange(1600) % 2)
    assert found.all()
    asked = window_tasks.weekend(made, CONFIG)
    assert 0.2 < asked.y.mean() < 0.4
    assert asked.clusters == 399
    assert not set(asked.cluster[asked.train]) & set(asked.cluster[asked.test])
    for day in np.unique(asked.cluster):  # a cluster is a day: it has one label
        assert np.ptp(asked.y[asked.cluster == day]) == 0


def test_two_days_say_nothing_of_weekends():
    made = sample(busy(1600), actors=400)
    made.start_us[:] = (np.arange(1600) % 2 + 8) * 86_400_000_000  # a Friday and a Saturday
    with pytest.raises(Skip, match="10 days of the week"):
        window_tasks.weekend(made, CONFIG)


def test_a_dataset_of_one_label_is_not_asked_about():
    made = sample(busy(40))
    made.start_us[:] = 0
    with pytest.raises(Skip, match="same label"):
        window_tasks.weekend(made, CONFIG)


def test_the_holiday_feature_is_zero_for_every_arm():
    dense = empty(400)
    dense[:, :, INDEX["calendar_event"]] = 1
    dense[:, :, INDEX["text_length"]] = np.linspace(0, 1, 400, dtype=np.float32)[:, None]
    dense[::2, :, INDEX["holiday"]] = 1
    made = window_tasks.holiday(sample(dense), CONFIG)
    assert set(made.y) == {0, 1}
    assert not made.x[:, :, INDEX["holiday"]].any()


def test_which_test_days_are_holidays_has_no_say_in_who_is_fitted_on():
    """Windows of three contents, each with and without a holiday: all look like a test window."""
    dense = empty(1200)
    dense[:, :, INDEX["calendar_event"]] = 1
    contents, labels = np.random.default_rng(1).integers((3, 2), size=(1200, 2)).T
    dense[:, :, INDEX["text_length"]] = (contents / 4)[:, None]
    dense[labels == 1, :, INDEX["holiday"]] = 1
    made = window_tasks.holiday(sample(dense), CONFIG)
    assert len(made.test)
    assert not len(made.train)


def test_a_holiday_is_not_told_by_its_length():
    dense = busy(400)
    dense[::2, :, INDEX["calendar_event"]] = dense[::2, :, INDEX["holiday"]] = 1
    with pytest.raises(Skip, match="same label"):
        window_tasks.holiday(sample(dense), CONFIG)


def test_a_window_of_votes_shows_none():
    dense, rng = empty(400), np.random.default_rng(1)
    metadata = []
    for i, window in enumerate(dense):
        part, slot = [("morning", 36), ("evening", 72)][i % 2]
        window[slot, INDEX["task"]] = window[slot, INDEX["participant_count"]] = 1
        window[slot, INDEX["text_length"]] = rng.random(dtype=np.float32)
        metadata.append(json.dumps({"judges": 5, "known": 4, "votes": {"WD": {part: 3}}}))
    made = votes(sample(dense, actors=400, name="ms_latte", metadata=metadata), CONFIG)
    assert not made.x[:, :, INDEX["participant_count"]].any()
    assert (made.x[:, :1, 2:] == made.x[:, :, 2:]).all()  # no slot differs from another
    assert made.y.shape[1] == 10
    assert set(made.y.max(axis=1)) == {0.75}


def test_too_few_windows_of_a_class_skip_a_task_with_the_reason():
    made = window_tasks.hidden_activity(sample(busy(400)), CONFIG)
    with pytest.raises(Skip, match="fewer than min_class=390"):
        require_enough(made, windows=20, of_class=390)
    with pytest.raises(Skip, match="fewer than min_windows=999"):
        require_enough(made, windows=999, of_class=3)


def test_too_few_actors_skip_a_task_with_the_reason():
    made = window_tasks.hidden_activity(sample(busy(1200), actors=30), CONFIG)
    with pytest.raises(Skip, match="fewer than 20: an interval over so few"):
        require_enough(made, windows=20, of_class=3)


def test_people_of_habit_are_told_from_their_days():
    rng, dense = np.random.default_rng(2), empty(400)
    for i, window in enumerate(dense):
        first = 2 * (i % 40) + rng.integers(2)
        window[first : first + 4, INDEX["task"]] = 1
        window[first, INDEX["text_length"]] = rng.random(dtype=np.float32)
    made = reidentification(sample(dense), CONFIG)
    said = guesses(made, encoders(), CONFIG)
    hits = {arm: float((guess == made.y[made.test]).mean()) for arm, guess in said.items()}
    assert hits["prior"] < 0.1
    assert hits["raw_linear"] > 0.5
    assert hits["wrong_window"] < 0.15


def test_days_that_repeat_make_a_person_easier_to_find_not_harder():
    rng, dense = np.random.default_rng(0), empty(800)
    for i, window in enumerate(dense):
        routine = rng.random() < 0.8
        first = 10 + 2 * (i % 40) if routine else int(rng.integers(90))
        window[first : first + 2, INDEX["email_activity"]] = 1
        window[first : first + 2, INDEX["text_length"]] = 0.3 if routine else rng.random()
    made = reidentification(sample(dense), CONFIG)
    said = guesses(made, encoders(), CONFIG)["raw_linear"]
    assert len(made.train) == 400
    assert (said == made.y[made.test]).mean() > 0.6
