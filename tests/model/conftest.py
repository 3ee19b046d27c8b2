"""A model and masks for it; one thread."""

import pytest
import torch

from jepa_ray.config import MaskConfig, ModelConfig
from jepa_ray.model import Masks, ScheduleJEPA, draw_masks


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def model() -> ScheduleJEPA:
    return ScheduleJEPA(ModelConfig(), seed=7)


@pytest.fixture
def masks() -> Masks:
    return draw_masks(MaskConfig(), seed=1, step=0, batch=8)
