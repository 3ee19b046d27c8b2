"""Arms on labels whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from jepa_ray.evaluate.probes.arms import READOUTS, embedded, inputs
from jepa_ray.evaluate.probes.outcome import measured, outcome, read
from jepa_ray.evaluate.probes.problem import Task
from jepa_ray.evaluate.probes.readouts import nearest
from jepa_ray.evaluate.probes.verdicts import results
from tests.evaluate.probes.made import CONFIG, TASK, busy, encoders, problem

N = 600


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(5).integers(2, size=N)


@pytest.fixture(scope="module")
def planted(labels):
    """A signal that only the embedding holds; all else is noise."""
    rng = np.random.default_rng(6)
    found = {arm: rng.standard_normal((N, 8)).astype(np.float32) for arm in READOUTS}
    found["ours"][:, 0] += 2 * labels
    found["ours_raw_trees"] = np.concatenate([found["ours"], found["raw_trees"]], axis=1)
    return found


def test_a_signal_that_only_the_embedding_holds_is_a_win(labels, planted):
    made = problem(labels)
    found = results({"planted": [measured(made, read(made, planted, CONFIG), CONFIG)]}, CONFIG)
    entry = found["planted"]
    assert entry["wins"]
    assert entry["arms"]["ours"]["score"] > 0.85
    assert entry["differences"]["pca64"]["interval"][0] > 0
    assert entry["added_value"]["difference"] > 0.2


def test_shuffled_labels_leave_every_arm_at_chance(planted):
    made = problem(np.random.default_rng(7).integers(2, size=N))
    found = measured(made, read(made, planted, CONFIG), CONFIG)
    assert all(abs(score - 0.5) < 0.1 for score in found.scores.values()), found.scores


def test_what_windows_show_is_found_by_the_raw_arms_and_not_in_other_windows():
    x = busy(N)
    made = problem((x[:, 40:60, 4].sum(axis=1) > 0).astype(np.int64), x=x)
    found = outcome(made, encoders(), CONFIG).scores
    assert found["raw_trees"] > 0.95
    assert found["prior"] == 0.5
    assert abs(found["wrong_window"] - 0.5) < 0.1


def test_the_same_problem_gives_the_same_numbers(labels):
    made = problem(labels)
    small = CONFIG.model_copy(update={"tree_rounds": 3, "penalties": (10.0, 1000.0)})
    first, second = (outcome(made, encoders(), small) for _ in range(2))
    assert first.scores == second.scores
    assert all((first.draws[arm] == second.draws[arm]).all() for arm in first.draws)


def test_resamples_draw_the_same_actors_whatever_else_is_tested(labels):
    """So the passes of a confirmation run, each with its own split, are resampled alike."""
    made = problem(labels)
    fewer = replace(made, test=made.test[made.cluster[made.test] < 30])
    score = np.arange(40.0)  # of each actor
    first, second = (
        measured(m, {"prior": score[m.cluster[m.test]]}, CONFIG).draws["prior"]
        for m in (made, replace(fewer, y=made.y))
    )
    assert np.corrcoef(first, second)[0, 1] > 0.3


@pytest.mark.parametrize("metric", ["macro_f1", "r2", "brier"])
def test_every_metric_prefers_the_arm_that_knows(labels, planted, metric):
    y = labels if metric == "macro_f1" else labels.astype(np.float64)
    y = np.stack([y, 1 - y], axis=1) if metric == "brier" else y
    made = problem(y, task=Task("planted", "x", "y", metric))
    arms = {arm: planted[arm] for arm in ("ours", "untrained", "ours_raw_trees", "raw_trees")}
    found = measured(made, read(made, arms, CONFIG), CONFIG).scores
    better = min if metric == "brier" else max
    for one, other in (("ours", "untrained"), ("ours_raw_trees", "raw_trees"), ("ours", "prior")):
        assert better(found[one], found[other]) == found[one] != found[other]


def test_the_arms_get_what_their_names_say(labels):
    made = problem(labels)
    found = inputs(made, embedded(made, encoders(), CONFIG), CONFIG)
    assert set(found) == set(READOUTS)
    assert found["raw_linear"].shape == (N, 96 * 14)
    assert found["pca64"].shape == found["random64"].shape == (N, 64)
    assert found["ours"].shape == (N, 16)
    assert found["ours_raw_trees"].shape[1] == 16 + found["raw_trees"].shape[1]
    test = made.test
    assert (np.sort(found["wrong_window"][test, 0]) == np.sort(found["ours"][test, 0])).all()
    assert (found["wrong_window"] != found["ours"]).any()


def test_an_embedding_is_that_of_the_product(labels):
    made, both = problem(labels), encoders()
    expected = both.ours.embed(made.x[:10]).numpy()
    found = inputs(made, embedded(made, both, CONFIG), CONFIG)["ours"][:10]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_mean_and_deviation_is_twice_as_wide(labels):
    wide = CONFIG.model_copy(update={"pooling": "mean_std"})
    made = problem(labels)
    assert inputs(made, embedded(made, encoders(), wide), wide)["ours"].shape == (N, 32)


def test_a_prior_is_never_nan_where_a_stratum_was_not_fitted(labels):
    made = problem(labels)
    made.strata[made.test] = 7
    assert measured(made, read(made, {}, CONFIG), CONFIG).scores["prior"] == 0.5
    assert TASK.metric == "roc_auc"


def test_nearest_neighbours_find_what_lies_near_and_are_not_judged(labels, planted):
    made = problem(labels)
    entry = results({"planted": [measured(made, read(made, planted, CONFIG), CONFIG)]}, CONFIG)
    found = entry["planted"]
    assert set(found["knn"]) == {arm for arm, readout in READOUTS.items() if readout == "linear"}
    assert found["knn"]["ours"]["score"] > 0.8
    assert abs(found["knn"]["pca64"]["score"] - 0.5) < 0.1
    assert not any("knn" in arm for arm in [*found["arms"], *found["differences"]])
    assert "By nearest neighbours (told, not judged) ours reach" in found["sentence"]


def test_all_training_rows_as_neighbours_say_what_the_prior_says(labels, planted):
    made = problem(labels)
    config = CONFIG.model_copy(update={"neighbours": len(made.train)})
    found = nearest(planted["ours"], made, config)
    assert found == pytest.approx(np.full(len(made.test), labels[made.train].mean()))


def test_the_nearest_neighbour_of_a_row_that_is_known_is_that_row(labels, planted):
    made = problem(labels)
    known = replace(made, test=made.train)
    found = nearest(planted["ours"], known, CONFIG.model_copy(update={"neighbours": 1}))
    assert np.array_equal(found, labels[made.train])
