"""Holm, p values, sentences."""

import numpy as np
import pytest

from jepa_ray.evaluate.intervals import percentile_interval, resamples, widened
from jepa_ray.evaluate.probes.outcome import Outcome
from jepa_ray.evaluate.probes.problem import FEWEST_CLUSTERS, Task
from jepa_ray.evaluate.probes.verdicts import closing, holm, results, two_sided
from tests.evaluate.probes.made import CONFIG, TASK

ARMS = ("prior", "raw_linear", "raw_trees", "pca64", "random64", "untrained", "ours",
        "ours_raw_trees", "wrong_window")  # fmt: skip


def made(scores: dict[str, float], task: Task = TASK, noise: float = 0.001, seed: int = 0):
    """An outcome whose resamples lie close around its scores."""
    rng = np.random.default_rng(seed)
    every = {arm: scores.get(arm, 0.5) for arm in ARMS}
    draws = {arm: s + noise * rng.standard_normal(CONFIG.draws) for arm, s in every.items()}
    return Outcome(task, 100, 50, 10, "By halves.", every, draws)


def test_holm_is_as_computed_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1, never falling
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_p_counts_the_smaller_side_twice():
    draws = np.array([1.0] * 97 + [-1.0] * 2)
    assert two_sided(draws) == pytest.approx(2 * 3 / 100)
    assert two_sided(np.zeros(10)) == 1.0
    assert two_sided(np.append(draws, np.nan)) == two_sided(draws)


def test_intervals_of_few_clusters_hold_the_truth_as_often_as_they_say():
    """5 % are told apart where there is no difference, half of them as better; unequal clusters."""
    rng, k, tries = np.random.default_rng(1), FEWEST_CLUSTERS, 1000
    counts = np.stack(list(resamples(np.arange(2 * k), draws=300, seed=0)))[:, :k]
    covered, told_apart = 0, 0
    for _ in range(tries):
        sizes = rng.geometric(0.3, k)
        effects = 0.05 * (rng.standard_normal(k) + rng.standard_normal(k) / np.sqrt(sizes)) + 0.5
        drawn = (counts * sizes) @ effects / (counts @ sizes)
        draws = widened(drawn, np.average(effects, weights=sizes), k, -np.inf, 1.0) - 0.5
        low, high = percentile_interval(draws)
        covered += low <= 0 <= high
        told_apart += two_sided(draws) < 0.05
    assert covered / tries > 0.925
    assert told_apart / tries < 0.075


def test_a_rival_that_is_better_is_named_with_its_lead():
    entry = results({"planted": [made({"ours": 0.6, "pca64": 0.63})]}, CONFIG)["planted"]
    assert not entry["wins"]
    assert "Better than ours: PCA-64 of the raw window by 0.030 [0.0" in entry["sentence"]
    assert entry["differences"]["pca64"]["difference"] == pytest.approx(-0.03)
    assert "Worse than ours: " in entry["sentence"]


def test_a_difference_that_is_not_told_apart_has_its_sign():
    entry = results({"planted": [made({"ours": 0.49}, noise=0.05)]}, CONFIG)["planted"]
    assert (
        "Not told apart from ours (above 0: ours ahead): the prior -0.010 [-0.1"
        in (entry["sentence"])
    )


def test_a_lower_brier_score_is_a_better_one():
    task = Task("planted", "x", "y", "brier")
    entry = results({"planted": [made({"ours": 0.1}, task)]}, CONFIG)["planted"]
    assert not entry["higher_is_better"]
    assert entry["differences"]["prior"]["difference"] == pytest.approx(0.4)
    assert entry["wins"]


def test_p_is_adjusted_over_tasks_for_each_rival():
    tasks = {f"task{i}": [made({"ours": 0.6}, seed=i)] for i in range(5)}
    for entry in results(tasks, CONFIG).values():
        difference = entry["differences"]["untrained"]
        assert difference["p_holm"] == pytest.approx(5 * difference["p"])


def test_seeds_are_averaged_and_what_they_move_is_in_the_interval():
    apart = [made({"ours": score}) for score in (0.4, 0.6, 0.8)]
    entry = results({"planted": apart}, CONFIG, 3)["planted"]
    assert entry["arms"]["ours"]["score"] == pytest.approx(0.6)
    low, high = entry["arms"]["ours"]["interval"]
    assert high - low > 0.3  # one seed by itself has an interval of 0.004
    assert not entry["wins"]


@pytest.mark.parametrize("passes", [2, 3, 6])
def test_seed_noise_is_told_apart_no_more_often_than_it_says(passes):
    """The true difference is 0; 40, 25 and 11 % were told apart when passes were drawn again."""
    rng, tries, apart, held = np.random.default_rng(passes), 200, 0, 0
    for _ in range(tries):
        each = [made({"ours": 0.5 + rng.normal(0, 0.02)}) for _ in range(passes)]
        entry = results({"planted": each}, CONFIG, passes)["planted"]
        difference = entry["differences"]["untrained"]
        apart += (difference["p"] or 1) < 0.05
        held += difference["interval"][0] <= 0 <= difference["interval"][1]
    assert apart / tries <= 0.08
    assert held / tries >= 0.92


def test_two_passes_tell_no_p_and_no_win():
    same = [made({"ours": 0.8}), made({"ours": 0.8})]
    entry = results({"planted": same}, CONFIG, 2)["planted"]
    difference = entry["differences"]["untrained"]
    assert (difference["p"], difference["p_holm"], entry["wins"]) == (None, None, False)
    assert "Not told apart from ours" in entry["sentence"]
    one_of_six = results({"planted": same[:1]}, CONFIG, 6)["planted"]
    assert not one_of_six["wins"]
    assert results({"planted": same[:1]}, CONFIG)["planted"]["wins"]  # of a checkpoint by itself


def test_a_risk_is_never_a_win_and_counts_in_no_family():
    risk = Task("reidentification", "x", "y", "top1", is_risk=True)
    found = results({"reidentification": [made({"ours": 0.9}, risk)]}, CONFIG)
    assert not found["reidentification"]["wins"]
    assert "a risk, not a merit" in found["reidentification"]["sentence"]
    assert closing(found, ["reidentification"]).startswith("No task")


def test_the_verdict_counts_tasks():
    found = results({"a": [made({"ours": 0.7})], "b": [made({"ours": 0.4}, seed=1)]}, CONFIG)
    verdict = closing(found, [])
    assert verdict.startswith("Of 2 tasks, our embeddings beat the untrained encoder on 1, PCA-64")
    assert "all three on 1" in verdict
