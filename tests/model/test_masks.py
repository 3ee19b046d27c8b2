import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.config import MaskConfig
from jepa_ray.errors import ConfigError
from jepa_ray.model import draw_masks, hidden_count

REFERENCE = MaskConfig()
STARTS = [32, 15, 17, 39, 23, 12]


@given(
    ratio=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 2**63 - 1),
    batch=st.integers(1, 9),
)
def test_every_slot_is_visible_or_in_one_hidden_span(ratio, seed, step, batch):
    config = MaskConfig(ratio=ratio)
    masks = draw_masks(config, seed=seed, step=step, batch=batch)
    hidden = hidden_count(config)
    assert masks.visible.dtype == masks.hidden.dtype == np.int64
    assert masks.hidden.shape == (batch, hidden)
    assert masks.visible.shape == (batch, 96 - hidden)
    both = np.sort(np.concatenate(masks, axis=1), axis=1)
    assert (both == np.arange(96)).all()
    assert (np.diff(masks.hidden, axis=1) == 1).all()
    assert (np.diff(masks.visible, axis=1) >= 1).all()


def test_the_reference_hides_38_slots():
    assert hidden_count(REFERENCE) == 38


def test_masks_are_a_function_of_seed_and_step():
    def draw(seed, step):
        return draw_masks(REFERENCE, seed=seed, step=step, batch=64).hidden

    np.testing.assert_array_equal(draw(3, 9), draw(3, 9))
    assert (draw(3, 9) != draw(3, 10)).any()
    assert (draw(3, 9) != draw(4, 9)).any()
    assert (draw(3, 9) != draw(9, 3)).any()
    assert len(np.unique(draw(3, 9)[:, 0])) > 20


def test_the_stream_never_changes():
    masks = draw_masks(REFERENCE, seed=2026061101, step=17, batch=6)
    assert masks.hidden[:, 0].tolist() == STARTS


def test_a_row_does_not_depend_on_workers_or_batch_size():
    whole = draw_masks(REFERENCE, seed=1, step=2, batch=32)
    small = draw_masks(REFERENCE, seed=1, step=2, batch=5)
    np.testing.assert_array_equal(whole.hidden[:5], small.hidden)
    ranks = [whole.rows(slice(rank, None, 4)) for rank in range(4)]
    for rank, part in enumerate(ranks):
        np.testing.assert_array_equal(part.hidden, whole.hidden[rank::4])
        np.testing.assert_array_equal(part.visible, whole.visible[rank::4])


def test_starts_are_uniform_over_all_places():
    steps = [draw_masks(REFERENCE, seed=0, step=step, batch=64) for step in range(500)]
    starts = np.concatenate([masks.hidden[:, 0] for masks in steps])
    counts = np.bincount(starts, minlength=59)
    assert len(counts) == 59
    expected = len(starts) / 59
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert 27 < chi2 < 103  # 58 degrees of freedom: the 0.01 % and the 99.99 % quantile, rounded


def test_an_unknown_kind_names_the_known_ones():
    config = REFERENCE.model_copy(update={"kind": "checkers"})
    with pytest.raises(
        ConfigError, match="one of span, blocks, future, random, mixture; found 'checkers'"
    ):
        draw_masks(config, seed=0, step=0, batch=1)


def test_masks_become_tensors():
    masks = draw_masks(REFERENCE, seed=0, step=0, batch=4).rows(slice(1, None, 2))
    visible, hidden = masks.tensors()
    assert visible.dtype == hidden.dtype == torch.int64
    np.testing.assert_array_equal(visible.numpy(), masks.visible)
    np.testing.assert_array_equal(hidden.numpy(), masks.hidden)
