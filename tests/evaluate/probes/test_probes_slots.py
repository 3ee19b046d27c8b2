"""Readouts that are given the slots, not their mean."""

from dataclasses import replace

import numpy as np
import pytest

from jepa_ray.evaluate.probes.arms import told
from jepa_ray.evaluate.probes.attentive import attentive
from jepa_ray.evaluate.probes.labels import group_folds, prior
from jepa_ray.evaluate.probes.outcome import measured, outcome
from jepa_ray.evaluate.probes.problem import Task
from jepa_ray.evaluate.probes.readouts import predict
from jepa_ray.evaluate.probes.slots import Slots, encoded, raw_slots
from jepa_ray.evaluate.probes.verdicts import results
from jepa_ray.windows import SLOTS
from tests.evaluate.probes.made import CONFIG as BRIEF
from tests.evaluate.probes.made import busy, encoders, problem

CONFIG = BRIEF.model_copy(update={"attentive_steps": 80, "penalties": (1.0, 100.0)})
N, WIDTH = 600, 6
ALL = np.ones((N, SLOTS), np.bool_)


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(5).integers(2, size=N)


@pytest.fixture(scope="module")
def marked(labels):
    """One slot a window is marked, and its sign is the label; the other slots' signs are noise."""
    rng = np.random.default_rng(6)
    values = rng.standard_normal((N, SLOTS, WIDTH)).astype(np.float32)
    values[:, :, 0], values[:, :, 1] = 0, rng.choice([-2, 2], size=(N, SLOTS))
    rows, place = np.arange(N), rng.integers(SLOTS, size=N)
    values[rows, place, 0], values[rows, place, 1] = 4, 4 * labels - 2
    return Slots(values, ALL, rows)


def area(made, said):
    return measured(made, {"arm": said}, CONFIG).scores["arm"]


def read(slots, made):
    return attentive(slots, told(made), made, CONFIG)


def test_attention_finds_the_slot_that_matters_and_the_mean_does_not(labels, marked):
    made = problem(labels)
    mean = marked.pooled("mean")
    assert np.corrcoef(mean[:, 1], labels)[0, 1] < 0.2
    assert area(made, read(marked, made)) > 0.9


def test_attention_finds_nothing_in_shuffled_labels(marked):
    made = problem(np.random.default_rng(8).integers(2, size=N))
    assert abs(area(made, read(marked, made)) - 0.5) < 0.1


def test_attention_never_sees_a_hidden_slot(labels, marked):
    made, seen = problem(labels), np.random.default_rng(9).random((N, SLOTS)) < 0.5
    other = np.where(seen[:, :, None], marked.values, 7)
    first, second = (
        read(Slots(values, seen, marked.place), made) for values in (marked.values, other)
    )
    assert np.array_equal(first, second)


def test_attention_reads_a_window_by_itself_whoever_is_tested_beside(labels, marked):
    made = problem(labels)
    fewer = replace(made, test=made.test[:7])
    assert read(marked, fewer) == pytest.approx(read(marked, made)[:7], abs=1e-6)


def test_slots_that_are_all_alike_say_what_the_prior_says(labels):
    made, alike = (
        problem(labels),
        Slots(np.ones((1, SLOTS, 3), np.float32), ALL[:1], np.zeros(N, int)),
    )
    assert np.array_equal(read(alike, made), prior(made))


def test_what_the_prior_knows_is_told_beside_the_slots(marked):
    """The label follows from the stratum alone."""
    made = problem(np.arange(N) % 2)
    made.strata[:] = np.arange(N) % 2
    noise = Slots(marked.values[:, :, 2:], ALL, marked.place)
    assert area(made, read(noise, made)) > 0.95


@pytest.mark.parametrize("metric", ["macro_f1", "r2", "brier"])
def test_every_metric_prefers_slots_that_know(labels, marked, metric):
    y = labels if metric == "macro_f1" else labels * 50.0 + 1000
    y = np.stack([labels, 1 - labels], axis=1).astype(float) if metric == "brier" else y
    made = problem(y, task=Task("planted", "x", "y", metric))
    noise = Slots(marked.values[:, :, 2:], ALL, marked.place)
    better = min if metric == "brier" else max
    knows, guesses = area(made, read(marked, made)), area(made, read(noise, made))
    assert better(knows, guesses) == knows
    assert abs(knows - guesses) > 0.1


def test_the_mean_is_over_what_is_seen():
    rng = np.random.default_rng(1)
    seen = rng.random((4, SLOTS)) < 0.4
    values = np.where(seen[:, :, None], rng.standard_normal((4, SLOTS, 3)), 0).astype(np.float32)
    found = Slots(values, seen, np.array([0, 3, 3])).pooled("mean_std")
    for row, window in zip(found, (0, 3, 3), strict=True):
        visible = values[window][seen[window]]
        expected = np.concatenate([visible.mean(axis=0), visible.std(axis=0)])
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_slots_side_by_side_are_fitted_on_training_windows_and_hide_what_is_hidden(labels):
    made, rng = problem(labels), np.random.default_rng(2)
    seen = rng.random((N, SLOTS)) < 0.7
    values = np.where(seen[:, :, None], rng.standard_normal((N, SLOTS, 5)), 0).astype(np.float32)
    slots = Slots(values, seen, np.arange(N))
    found = slots.reduced(made.train, 2)
    assert found.shape == (N, SLOTS * 2)
    assert not found.reshape(N, SLOTS, 2)[~seen].any()
    changed = values.copy()
    changed[made.test] *= 3
    again = Slots(changed, seen, np.arange(N)).reduced(made.train, 2)
    assert np.array_equal(found[made.train], again[made.train])


def test_equal_windows_are_encoded_once_and_as_the_product_does_it():
    x = busy(10)[np.arange(30) % 10]
    made, model = problem(np.arange(30) % 2, x=x), encoders().ours
    slots = encoded(model, made)
    assert slots.values.shape == (10, SLOTS, 16)
    expected = model.embed_slots(x).numpy()
    np.testing.assert_allclose(slots.values[slots.place], expected, atol=1e-5)
    assert np.array_equal(raw_slots(made).values[raw_slots(made).place], x)


def test_a_part_of_a_window_is_encoded_from_what_is_seen():
    hidden = np.zeros((6, SLOTS), np.bool_)
    hidden[:3, 40:], hidden[3:, :30] = True, True
    x = busy(6)
    made = replace(problem(np.arange(6) % 2, x=x), hidden=hidden)
    changed = x.copy()
    changed[:, :, 5][hidden] = 0.5
    one, other = (encoded(encoders().ours, replace(made, x=each)) for each in (x, changed))
    assert np.array_equal(one.seen[one.place], ~hidden)
    assert not one.values[~one.seen].any()
    assert np.array_equal(one.values[one.place], other.values[other.place])


def test_folds_keep_groups_apart_and_hold_every_class(labels):
    made = problem(np.where(np.arange(N) == 3, 1, 0))  # one group has the class
    assert len(list(group_folds(made, CONFIG))) == CONFIG.folds - 1
    made = problem(labels)
    for fit, held in group_folds(made, CONFIG):
        assert not set(made.cluster[made.train[fit]]) & set(made.cluster[made.train[held]])


def test_they_are_told_and_not_judged(labels):
    made = problem(labels)
    entry = results({"planted": [outcome(made, encoders(), BRIEF)]}, CONFIG)["planted"]
    assert set(entry["attentive"]) == {"raw_linear", "untrained", "ours", "wrong_window"}
    assert set(entry["per_slot"]) == set(entry["attentive"])
    assert not any(":" in arm for arm in [*entry["arms"], *entry["differences"]])
    for words in ("By attention over the slots", "With all slots side by side"):
        assert f"{words} (told, not judged) ours reach" in entry["sentence"]


def test_where_the_raw_arms_have_no_windows_no_raw_slots_are_read(labels):
    made = replace(problem(labels), raw=np.ones((N, 3), np.float32))
    found = outcome(made, encoders(), BRIEF).scores
    assert "attentive:ours" in found
    assert not {"attentive:raw_linear", "per_slot:raw_linear"} & set(found)


def test_attention_loses_nothing_where_the_mean_is_enough(labels):
    """Whatever the position says: it is the most of a token, and the same in all windows."""
    rng = np.random.default_rng(3)
    position = 5 * rng.standard_normal((1, SLOTS, 8))
    window = 0.1 * rng.standard_normal((N, 1, 8))
    noise = 0.1 * rng.standard_normal((N, SLOTS, 8))
    slots = Slots((position + window + noise).astype(np.float32), ALL, np.arange(N))
    y = window[:, 0] @ rng.standard_normal(8)
    made = problem(y, task=Task("planted", "x", "y", "r2"))
    linear = area(made, predict(slots.pooled("mean"), made, "linear", CONFIG))
    assert area(made, read(slots, made)) > linear - 0.02 > 0.9


def test_slots_side_by_side_know_what_is_a_window_s_own():
    """One direction is the window's, all others are the slot's and far larger."""
    rng = np.random.default_rng(4)
    values = 9 * rng.standard_normal((1, SLOTS, 8)).repeat(N, axis=0)
    own = rng.standard_normal((N, SLOTS))
    values[:, :, 3] += own
    made = problem(np.arange(N) % 2)
    found = Slots(values.astype(np.float32), ALL, np.arange(N)).reduced(made.train, 1)
    assert np.corrcoef(np.abs(found.ravel()), np.abs(own.ravel()))[0, 1] > 0.99


def test_attention_bears_a_window_of_which_nothing_is_seen(labels, marked):
    seen = ALL.copy()
    seen[[0, N - 1]] = False
    said = read(Slots(marked.values, seen, marked.place), problem(labels))
    assert np.isfinite(said).all()


def test_attention_weighs_classes_alike_for_macro_f1(marked):
    """One in ten: without weights all would be told to be of the larger class."""
    y = (np.random.default_rng(10).random(N) < 0.1).astype(np.int64)
    noise = Slots(marked.values[:, :, 2:], ALL, marked.place)
    made = problem(y, task=Task("planted", "x", "y", "macro_f1"))
    assert read(noise, made).sum() > N // 2 * 0.2


def test_attention_chooses_a_penalty_that_serves(labels, marked):
    """Noise wants the largest, a signal does not."""
    made, noise = problem(labels), Slots(marked.values[:, :, 2:], ALL, marked.place)
    both = CONFIG.model_copy(update={"penalties": (1.0, 1e6)})
    large = CONFIG.model_copy(update={"penalties": (1e6,)})
    for slots, alike in ((noise, True), (marked, False)):
        found, flat = (attentive(slots, told(made), made, c) for c in (both, large))
        assert np.array_equal(found, flat) == alike


def test_the_same_slots_give_the_same_numbers(labels, marked):
    assert np.array_equal(read(marked, problem(labels)), read(marked, problem(labels)))
