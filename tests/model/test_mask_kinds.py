"""Masks of all kinds; test_masks.py has what concerns spans and the interface."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.config import MaskConfig
from jepa_ray.model import draw_masks, hidden_count, mask_kinds
from jepa_ray.windows import SLOTS

SEVENTH = [13, 14, 33, 42, 20, 18]
KINDS = ["span", "blocks", "future", "random", "mixture"]


def is_hidden(masks):
    found = np.zeros((len(masks.hidden), SLOTS), bool)
    np.put_along_axis(found, masks.hidden, values=True, axis=1)
    return found


def spans_of(masks):
    """How many spans each window has."""
    hidden = np.pad(is_hidden(masks), ((0, 0), (1, 0)))
    return (hidden[:, 1:] & ~hidden[:, :-1]).sum(axis=1)


def chi2(counts):
    expected = counts.sum() / counts.size
    return float(((counts - expected) ** 2 / expected).sum())


@given(
    kind=st.sampled_from(KINDS),
    ratio=st.floats(0.01, 0.99),
    max_blocks=st.integers(2, 8),
    seed=st.integers(0, 2**63 - 1),
    batch=st.integers(1, 9),
)
def test_every_slot_is_visible_or_hidden_and_the_count_is_exact(
    kind, ratio, max_blocks, seed, batch
):
    config = MaskConfig(kind=kind, ratio=ratio, max_blocks=max_blocks)
    masks = draw_masks(config, seed=seed, step=3, batch=batch)
    count = hidden_count(config)
    assert masks.visible.dtype == masks.hidden.dtype == np.int64
    assert masks.hidden.shape == (batch, count)
    both = np.sort(np.concatenate(masks, axis=1), axis=1)
    assert (both == np.arange(SLOTS)).all()
    assert (np.diff(masks.hidden, axis=1) >= 1).all()
    assert (np.diff(masks.visible, axis=1) >= 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_batch_size(kind):
    config = MaskConfig(kind=kind)
    whole = draw_masks(config, seed=1, step=2, batch=32)
    small = draw_masks(config, seed=1, step=2, batch=5)
    np.testing.assert_array_equal(whole.hidden[:5], small.hidden)
    kinds = mask_kinds(config, seed=1, step=2, batch=32)
    assert list(kinds[:5]) == list(mask_kinds(config, seed=1, step=2, batch=5))


@pytest.mark.parametrize("kind", ["blocks", "random", "mixture"])
def test_steps_and_seeds_have_masks_of_their_own(kind):
    config = MaskConfig(kind=kind)
    one = draw_masks(config, seed=1, step=2, batch=32).hidden
    assert (one != draw_masks(config, seed=1, step=3, batch=32).hidden).any()
    assert (one != draw_masks(config, seed=2, step=2, batch=32).hidden).any()


def test_the_streams_never_change():
    config = MaskConfig(kind="mixture", weights={"blocks": 1.0, "random": 1.0})
    masks = draw_masks(config, seed=2026061101, step=17, batch=6)
    assert masks.hidden[:, 7].tolist() == SEVENTH


def test_future_hides_the_last_slots():
    masks = draw_masks(MaskConfig(kind="future"), seed=0, step=0, batch=3)
    assert (masks.hidden == np.arange(58, 96)).all()


def test_blocks_are_two_to_max_blocks_spans_each_number_equally_often():
    config = MaskConfig(kind="blocks", max_blocks=5)
    counts = np.bincount(spans_of(draw_masks(config, seed=0, step=0, batch=20_000)), minlength=6)
    assert counts[:2].sum() == 0
    assert len(counts) == 6
    assert chi2(counts[2:]) < 22  # 3 degrees of freedom, 99.99 %


@pytest.mark.parametrize(("ratio", "spans"), [(1 / 96, {1}), (2 / 96, {2}), (95 / 96, {1, 2})])
def test_blocks_become_fewer_where_more_do_not_fit(ratio, spans):
    masks = draw_masks(MaskConfig(kind="blocks", ratio=ratio), seed=0, step=0, batch=400)
    assert set(spans_of(masks)) <= spans


def test_blocks_stand_in_each_gap_between_visible_slots_equally_often():
    """A block's place is the number of visible slots before it, 0 to 58: all are equally likely."""
    config = MaskConfig(kind="blocks")
    hidden = is_hidden(draw_masks(config, seed=0, step=0, batch=30_000))
    starts = np.pad(hidden, ((0, 0), (1, 0)))
    starts = starts[:, 1:] & ~starts[:, :-1]
    places = np.cumsum(~hidden, axis=1)[starts]
    counts = np.bincount(places, minlength=59)
    assert len(counts) == 59
    assert chi2(counts) < 103  # 58 degrees of freedom, 99.99 %; distinct places vary less


def test_pairs_of_hidden_slots_are_equally_likely_as_two_blocks():
    config = MaskConfig(kind="blocks", ratio=2 / 96)
    hidden = draw_masks(config, seed=0, step=0, batch=100_000).hidden
    counts = np.bincount(hidden[:, 0] * SLOTS + hidden[:, 1], minlength=SLOTS**2)
    apart = np.triu(np.ones((SLOTS, SLOTS), bool), k=2).ravel()
    assert counts[~apart].sum() == 0
    assert 4118 < chi2(counts[apart]) < 4820  # 4464 degrees of freedom: 0.01 % and 99.99 %


def test_random_hides_each_slot_equally_often():
    masks = draw_masks(MaskConfig(kind="random"), seed=0, step=0, batch=20_000)
    counts = np.bincount(masks.hidden.ravel(), minlength=SLOTS)
    assert chi2(counts) < 150  # 95 degrees of freedom, 99.99 %; a slot is hidden at most once


def test_a_mixture_draws_kinds_by_weight_and_says_which():
    config = MaskConfig(kind="mixture", weights={"span": 3.0, "future": 1.0, "random": 0.0})
    kinds = mask_kinds(config, seed=0, step=0, batch=10_000)
    assert set(kinds) == {"span", "future"}
    assert np.mean(kinds == "span") == pytest.approx(0.75, abs=0.02)


def test_a_row_of_a_mixture_is_the_row_of_its_kind():
    config = MaskConfig(kind="mixture", weights=dict.fromkeys(KINDS[:4], 1.0))
    masks = draw_masks(config, seed=5, step=1, batch=64)
    kinds = mask_kinds(config, seed=5, step=1, batch=64)
    for kind in KINDS[:4]:
        alone = draw_masks(MaskConfig(kind=kind), seed=5, step=1, batch=64)
        rows = kinds == kind
        assert rows.any()
        np.testing.assert_array_equal(masks.hidden[rows], alone.hidden[rows])


def test_the_kind_of_a_pure_config_is_that_of_each_row():
    assert list(mask_kinds(MaskConfig(), seed=0, step=0, batch=2)) == ["span", "span"]


def test_with_max_ratio_each_step_has_a_count_of_its_own():
    config = MaskConfig(ratio=0.25, max_ratio=0.6)
    counts = [hidden_count(config, seed=3, step=step) for step in range(600)]
    assert (min(counts), max(counts)) == (24, 58)
    assert draw_masks(config, seed=3, step=7, batch=2).hidden.shape == (2, counts[7])
    assert chi2(np.bincount(counts)[24:]) < 75  # 34 degrees of freedom, 99.99 %
