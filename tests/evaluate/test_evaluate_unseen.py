"""Windows that are on the training side as well, and what the others say."""

import dataclasses

import numpy as np
import pytest

from jepa_ray.config import EvaluateConfig
from jepa_ray.corpus import Samples
from jepa_ray.evaluate.sums import Rows
from jepa_ray.evaluate.unseen import Unseen, seen_often
from tests.evaluate.made import tiny_pass

CONFIG = EvaluateConfig(draws=100)


def test_the_unseen_windows_are_scored_by_themselves():
    _, found, sample = tiny_pass(24)
    seen = np.arange(24) % 4 > 0
    told = Unseen.of(found.predicted, seen, sample.groups(), CONFIG).document()
    assert told["seen_in_training"] == 0.75
    assert told["unseen"]["windows"] == 6
    assert told["unseen"]["loss"] == Rows(found.predicted.of(~seen)).sums().loss


def test_where_all_windows_were_seen_nothing_is_told_of_others():
    _, found, sample = tiny_pass(8)
    told = Unseen.of(found.predicted, np.ones(8, bool), sample.groups(), CONFIG).document()
    assert told == {"seen_in_training": 1.0, "unseen": None}


@pytest.mark.parametrize(("copies", "warnings"), [(2, 0), (3, 1), (24, 1)])
def test_from_a_tenth_on_a_warning_names_the_dataset(copies, warnings):
    _, _, sample = tiny_pass(24)
    contents = np.unique(sample.windows.fingerprints()[:copies])
    none = sample.take(np.zeros(0, int))
    samples = Samples(("a",), sample, none, none, (24,), contents)
    said = list(seen_often(samples))
    assert len(said) == warnings
    assert all(each.startswith("a tenth or more of the scored windows of a equal") for each in said)
    other = dataclasses.replace(samples, contents=contents[:0])
    assert not list(seen_often(other))
