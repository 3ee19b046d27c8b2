"""Sparse rows become dense batches, the same to the bit wherever that happens."""

import numpy as np
import pytest

from jepa_ray.corpus import densify
from jepa_ray.corpus.dense import scatter
from jepa_ray.windows import FEATURE_COUNT, SLOTS
from tests.corpus.windows import days, moments

WINDOWS = [days(50), moments(50), days(1), days(50).take(np.arange(0))]


@pytest.mark.parametrize("windows", WINDOWS)
def test_torch_and_numpy_densify_to_the_same_bits(windows):
    ours, theirs = scatter(windows, "cpu").numpy(), windows.densify()
    assert ours.dtype == theirs.dtype == np.float32
    assert ours.shape == theirs.shape == (len(windows), SLOTS, FEATURE_COUNT)
    assert ours.tobytes() == theirs.tobytes()
    assert densify(windows, "cpu").numpy().tobytes() == theirs.tobytes()


@pytest.mark.gpu
@pytest.mark.parametrize("windows", WINDOWS)
def test_a_gpu_densifies_to_the_same_bits(windows):
    found = densify(windows, "cuda")
    assert found.device.type == "cuda"
    assert found.cpu().numpy().tobytes() == windows.densify().tobytes()
