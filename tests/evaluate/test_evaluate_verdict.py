"""The verdict: each gate by itself, and that a low loss alone never passes."""

from dataclasses import replace

import pytest

from jepa_ray.evaluate import Evidence, judge
from jepa_ray.evaluate.controls import Control
from jepa_ray.evaluate.intervals import Interval
from jepa_ray.model import Monitors
from jepa_ray.model.collapse import collapse_reasons

UNTRAINED = Monitors(loss=1.04, skill=-9.0, slot_std=0.3, rankme=20.0, cosine_to_mean=0.94)
GOOD = Monitors(loss=0.2, skill=0.6, slot_std=0.5, rankme=21.0, cosine_to_mean=0.7)
WITHIN = {"a": 0.5, "b": 0.1, "c": -0.1}
NAN = float("nan")


def test_a_model_that_passes_all_gates_has_learned():
    verdict = judge(GOOD, UNTRAINED, 0.5, WITHIN)
    assert verdict.status == "learned"
    assert "loss 0.200000 against 1.0400 untrained (-80.77%)" in verdict.sentence
    assert "in 2 of 3 datasets" in verdict.sentence


@pytest.mark.parametrize(
    ("change", "cka", "within", "status"),
    [
        ({"slot_std": 0.0299}, 0.5, WITHIN, "collapsed"),
        ({"slot_std": 0.0301}, 0.5, WITHIN, "learned"),
        ({"cosine_to_mean": 0.9801}, 0.5, WITHIN, "collapsed"),
        ({"cosine_to_mean": 0.98}, 0.5, WITHIN, "learned"),
        ({"rankme": 9.9}, 0.5, WITHIN, "collapsed"),
        ({"rankme": 10.0}, 0.5, WITHIN, "learned"),
        ({"loss": 1.04}, 0.5, WITHIN, "not_learned"),
        ({"loss": 2.0}, 0.5, WITHIN, "not_learned"),
        ({"skill": 0.0}, 0.5, WITHIN, "no_skill"),
        ({"skill": -1.0}, 0.5, WITHIN, "no_skill"),
        ({}, 0.5, {"a": 0.0, "b": -0.1}, "no_skill"),
        ({}, 0.5, {"a": 0.5, "b": -0.1}, "no_skill"),
        ({}, 0.5, {"a": 0.5}, "learned"),
        ({}, 0.5, {}, "learned"),
        ({}, 0.9801, WITHIN, "untouched"),
        ({}, 0.98, WITHIN, "learned"),
    ],
)
def test_each_gate_decides_at_its_limit(change, cka, within, status):
    assert judge(replace(GOOD, **change), UNTRAINED, cka, within).status == status


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slot_std": 0.0}, "per-slot std 0 is under 0.1 x untrained 0.3"),
        ({"cosine_to_mean": 0.99}, "cosine to their mean is 0.01 from 1, under 0.02"),
        ({"rankme": 2.0}, "RankMe 2.0 is under 10.0"),
    ],
)
def test_a_collapse_is_told_with_its_gate_and_both_numbers(change, words):
    verdict = judge(replace(GOOD, loss=1e-4, **change), UNTRAINED, 0.5, WITHIN)
    assert verdict.sentence.startswith("collapsed: the loss is lower, but the embeddings")
    assert words in verdict.sentence


def test_collapse_comes_before_all_other_gates():
    bad = replace(GOOD, loss=2.0, skill=-1.0, slot_std=0.0)
    verdict = judge(bad, UNTRAINED, 1.0, WITHIN)
    assert verdict.status == "collapsed"
    assert "the loss is lower" not in verdict.sentence


def test_all_collapse_gates_that_fail_are_named():
    assert len(collapse_reasons(Monitors(0.0, 0.0, 0.0, 1.0, 1.0), UNTRAINED)) == 3


@pytest.mark.parametrize(("cosine", "failed"), [(0.9989, 0), (0.9991, 1)])
def test_where_the_untrained_cosine_is_high_the_distance_to_one_counts(cosine, failed):
    untrained = replace(UNTRAINED, cosine_to_mean=0.99)
    assert len(collapse_reasons(replace(GOOD, cosine_to_mean=cosine), untrained)) == failed


@pytest.mark.parametrize(("rankme", "failed"), [(2.9, 1), (3.0, 0)])
def test_the_rank_floor_is_three_where_the_untrained_rank_is_small(rankme, failed):
    untrained = replace(UNTRAINED, rankme=4.0)
    assert len(collapse_reasons(replace(GOOD, rankme=rankme), untrained)) == failed


@pytest.mark.parametrize("rank", [1.0, 1.01, 2.1, 2.95, 3.0, 3.05, 6.1])
def test_rounding_of_the_rank_is_no_collapse(rank):
    untrained = replace(UNTRAINED, rankme=rank)
    assert not collapse_reasons(replace(GOOD, rankme=rank * (1 - 1e-3)), untrained)


@pytest.mark.parametrize("distance", [0.0199, 0.0201, 0.03, 0.002])
def test_rounding_of_the_cosine_is_no_collapse(distance):
    untrained = replace(UNTRAINED, cosine_to_mean=1 - distance)
    assert not collapse_reasons(replace(GOOD, cosine_to_mean=1 - 0.99 * distance), untrained)


def test_the_rank_of_four_windows_is_not_judged():
    untrained, low = replace(UNTRAINED, rankme=2.9), replace(GOOD, rankme=1.1)
    assert not collapse_reasons(low, untrained, windows=4)
    assert collapse_reasons(low, untrained, windows=5)


def test_data_that_has_no_rank_to_give_is_no_collapse():
    untrained = replace(UNTRAINED, rankme=2.0)
    assert not collapse_reasons(replace(GOOD, rankme=2.0), untrained)


def test_data_without_any_variation_is_no_collapse_for_a_rounding_error():
    untrained = Monitors(1.04, 0.0, 0.0, 1.0, 1.0)
    assert not collapse_reasons(replace(untrained, cosine_to_mean=1.0 + 3e-16), untrained)


def test_embeddings_without_spread_are_collapsed_unless_the_windows_are_all_alike():
    none = Monitors(0.3, 0.0, 0.0, 1.0, 1.0)
    assert "per-slot std 0 is under" in collapse_reasons(none, UNTRAINED)[0]
    assert not collapse_reasons(none, replace(none, cosine_to_mean=1 - 1e-15))


def test_an_untrained_model_has_not_learned_against_itself():
    assert judge(UNTRAINED, UNTRAINED, 1.0, WITHIN).status == "not_learned"


def test_no_skill_on_the_whole_does_not_claim_to_hold_within_every_dataset():
    verdict = judge(replace(GOOD, skill=-0.2), UNTRAINED, 0.5, WITHIN)
    assert "no skill: on the whole, predictions are no better" in verdict.sentence
    nowhere = judge(GOOD, UNTRAINED, 0.5, {"a": -0.5})
    assert "no skill: within every dataset, predictions are no better" in nowhere.sentence


@pytest.mark.parametrize("field", ["loss", "skill"])
def test_a_number_that_is_none_is_never_learning(field):
    assert judge(replace(GOOD, **{field: NAN}), UNTRAINED, 0.5, WITHIN).status != "learned"


def test_windows_that_are_all_alike_decide_nothing():
    alike = replace(UNTRAINED, slot_std=0.0)
    assert judge(replace(GOOD, slot_std=0.0), alike, 0.0, WITHIN).status == "undecided"


def control(passed):
    return Control(0.0, None, "", passed, "")


SURE = Evidence(
    skill=Interval(0.5, 0.7),
    within={"a": Interval(0.4, 0.6), "b": Interval(0.05, 0.2), "c": Interval(-0.2, 0.1)},
    baselines={"nearest_visible": Interval(0.1, 0.3), "ridge_context": Interval(0.2, 0.4)},
    controls={name: control(True) for name in ("white_noise", "shuffled_slots", "wrong_window")},
)


def judged(**change):
    return judge(GOOD, UNTRAINED, 0.5, WITHIN, replace(SURE, **change))


def test_with_all_evidence_the_verdict_names_what_was_beaten_and_where():
    verdict = judged()
    assert verdict.status == "learned"
    assert verdict.sentence.startswith(
        "learned: predictions of hidden slots are better than a constant, copying and a linear "
        "readout, in 2 of 3 datasets; loss 0.200000"
    )
    assert "skill 0.600 (0.500 to 0.700)" in verdict.sentence


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"skill": Interval(-0.1, 0.7)}, "no_skill", "its skill is not surely above 0"),
        ({"within": SURE.within | {"b": Interval(-0.1, 0.2)}}, "no_skill", "in 1 of 3 datasets"),
        ({"within": SURE.within | {"c": None}}, "learned", "in 2 of 2 datasets"),
        ({"skill": None, "actors": 1}, "undecided", "too few actors: the scored windows belong"),
        (
            {"baselines": {"nearest_visible": Interval(-0.1, 0.3)}},
            "trivial",
            "no better than copying the nearest visible slot",
        ),
        (
            {"baselines": {"ridge_context": Interval(-0.5, -0.3)}},
            "trivial",
            "no better than a linear readout of what is seen",
        ),
        ({"controls": {"wrong_window": control(False)}}, "no_skill", "context of another window"),
        ({"controls": {"white_noise": control(False)}}, "undecided", "skill in white noise"),
        ({"controls": {"shuffled_slots": control(False)}}, "learned", "slots change places"),
        ({"controls": {"wrong_window": control(None)}}, "learned", "better than a constant"),
    ],
)
def test_each_piece_of_evidence_decides_by_itself(change, status, words):
    verdict = judged(**change)
    assert verdict.status == status
    assert words in verdict.sentence


def test_a_collapse_is_told_before_all_evidence():
    bad = replace(SURE, controls={"white_noise": control(False)})
    verdict = judge(replace(GOOD, slot_std=0.0), UNTRAINED, 0.5, WITHIN, bad)
    assert verdict.status == "collapsed"
