"""The windows that a report draws."""

import numpy as np

from jepa_ray.corpus import Samples
from jepa_ray.evaluate.pictures import examples
from tests.evaluate.made import tiny_pass


def test_a_dataset_that_is_in_further_windows_only_is_an_example_too():
    _, found, sample = tiny_pass(8)
    none = sample.take(np.zeros(0, int))
    samples = Samples(("a",), none, sample, none, (8,), np.zeros(0, np.uint64))
    nothing = found.predicted.of(np.zeros(8, bool))
    (told,) = examples(samples, nothing, found.predicted)
    assert told["dataset"] == "a"
    assert len(told["hidden"]) == len(told["error"]) == 38
    assert examples(samples, nothing, None) == []
