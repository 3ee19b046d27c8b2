"""Batches: all windows, each once an epoch, the same for any number of ranks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.corpus import Feed, densify, held_out_batches
from jepa_ray.corpus.feed import scatter
from jepa_ray.windows import FEATURE_COUNT, POSITION_VALUES, SLOTS, SparseWindows, sparsify


def days(n: int, seed: int = 0) -> SparseWindows:
    """n days: empty ones, single slots, overlapping runs and full days."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((n, SLOTS, FEATURE_COUNT), np.float32)
    dense[:, :, :2] = POSITION_VALUES[:, None]
    for window in dense:
        for _ in range(rng.integers(0, 4)):
            first = rng.integers(SLOTS)
            last = rng.choice([first, SLOTS - 1, min(first + 8, SLOTS - 1)])
            window[first : last + 1, rng.integers(2, 16)] = rng.random(dtype=np.float32)
    return sparsify(dense)


def moments(n: int) -> SparseWindows:
    """n windows of one slot each, told apart by one value."""
    values = np.zeros((n, 14), np.float32)
    values[:, 0] = (np.arange(n) + 1) / n
    slot = (np.arange(n) % SLOTS).astype(np.uint8)
    return SparseWindows(np.arange(n + 1), slot, slot, values)


@given(st.integers(1, 50), st.integers(1, 40), st.integers(0, 2**63 - 1), st.integers(0, 20))
def test_an_epoch_visits_each_window_exactly_once(n, batch, seed, epoch):
    feed = Feed(moments(n), batch_size=batch, seed=seed)
    steps = -(-(epoch + 1) * n // batch)
    drawn = np.concatenate([feed.rows(step) for step in range(steps)])
    assert sorted(drawn[epoch * n : (epoch + 1) * n]) == list(range(n))


def test_two_epochs_have_different_orders():
    feed = Feed(moments(64), batch_size=64, seed=1)
    assert (feed.rows(0) != feed.rows(1)).any()


def test_two_seeds_have_different_orders():
    one, two = (Feed(moments(64), batch_size=64, seed=seed) for seed in (1, 2))
    assert (one.rows(0) != two.rows(0)).any()


def test_a_step_gives_the_same_batch_whatever_was_asked_before():
    fresh, used = (Feed(moments(30), batch_size=8, seed=3) for _ in range(2))
    for step in (9, 0, 4):
        used.rows(step)
    assert (fresh.rows(7) == used.rows(7)).all()
    assert torch.equal(fresh.batch(7), used.batch(7))


@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_the_ranks_share_the_global_batch_without_overlap(world):
    feed = Feed(days(40), batch_size=8, seed=3)
    whole = feed.batch(6)
    parts = [feed.batch(6, rank=rank, world=world) for rank in range(world)]
    for rank, part in enumerate(parts):
        assert torch.equal(part, whole[rank::world])
    assert sum(map(len, parts)) == 8


def test_a_side_smaller_than_a_batch_wraps_its_epochs():
    rows = Feed(moments(3), batch_size=8, seed=0).rows(0)
    assert len(rows) == 8
    assert sorted(rows[:3]) == sorted(rows[3:6]) == [0, 1, 2]


def test_a_single_window_fills_every_batch():
    assert (Feed(moments(1), batch_size=5, seed=0).rows(100) == 0).all()


def test_a_feed_of_no_window_is_our_own_mistake():
    with pytest.raises(AssertionError):
        Feed(moments(0), batch_size=5, seed=0)


@pytest.mark.parametrize("windows", [days(50), moments(50), days(1), days(50).take(np.arange(0))])
def test_torch_and_numpy_densify_to_the_same_bits(windows):
    ours, theirs = scatter(windows, "cpu").numpy(), windows.densify()
    assert ours.dtype == theirs.dtype == np.float32
    assert ours.shape == theirs.shape == (len(windows), SLOTS, FEATURE_COUNT)
    assert ours.tobytes() == theirs.tobytes()
    assert densify(windows, "cpu").numpy().tobytes() == theirs.tobytes()


def test_held_out_batches_draw_each_window_at_most_once():
    windows = moments(50)
    found = list(held_out_batches(windows, batches=3, batch_size=8, seed=5))
    assert [len(x) for x in found] == [8, 8, 8]
    drawn = torch.cat(found)[:, :, 2].sum(dim=1)
    assert len(set(drawn.tolist())) == 24


def test_a_small_side_gives_fewer_batches_and_a_small_last_one():
    found = list(held_out_batches(moments(11), batches=100, batch_size=4, seed=5))
    assert [len(x) for x in found] == [4, 4, 3]


def test_held_out_batches_are_the_same_each_time_and_differ_by_seed():
    one, again, other = (
        torch.cat(list(held_out_batches(moments(50), batches=2, batch_size=8, seed=seed)))
        for seed in (5, 5, 6)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
