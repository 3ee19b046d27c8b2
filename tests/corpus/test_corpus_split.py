"""The split: a function of the seed and of each window's key."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import SplitKeys, validation_mask
from jepa_ray.errors import CorpusError
from jepa_ray.windows import NO_TIME

MODES = ("random_resplit", "grouped", "temporal")
HOUR = 3_600_000_000


def keys(n: int, *, groups: int = 0, seed: int = 0) -> SplitKeys:
    """n windows, an hour apart, dealt to so many groups (0: none has one)."""
    rng = np.random.default_rng(seed)
    return SplitKeys(
        uid=rng.permutation(np.arange(1, n + 1)).astype(np.uint64),
        group=(np.arange(n) % groups + 1 if groups else np.zeros(n)).astype(np.uint64),
        start_us=np.arange(n, dtype=np.int64) * HOUR,
    )


def taken(k: SplitKeys, rows: np.ndarray) -> SplitKeys:
    return SplitKeys(k.uid[rows], k.group[rows], k.start_us[rows])


@st.composite
def datasets(draw: st.DrawFn) -> SplitKeys:
    n = draw(st.integers(2, 60))
    word = st.integers(1, 2**64 - 1)
    uid = draw(st.lists(word, min_size=n, max_size=n, unique=True))
    pool = draw(st.lists(word, min_size=2, max_size=6, unique=True))
    group = [*pool[:2], *(draw(st.sampled_from([0, *pool])) for _ in range(n - 2))]
    hours = [0, 1, *(draw(st.sampled_from([NO_TIME, 0, 1, 2, 3])) for _ in range(n - 2))]
    start = [h if h == NO_TIME else h * HOUR for h in hours]
    return SplitKeys(
        np.array(uid, np.uint64), np.array(group, np.uint64), np.array(start, np.int64)
    )


configs = st.builds(
    SplitConfig,
    mode=st.sampled_from(MODES),
    seed=st.integers(0, 2**63 - 1),
    val_fraction=st.floats(0.001, 0.999),
)


@given(datasets(), configs, st.randoms())
def test_a_window_falls_on_the_same_side_in_any_order_of_the_rows(k, config, random):
    order = np.array(random.sample(range(len(k.uid)), len(k.uid)))
    before = validation_mask("d", k, config)
    assert (validation_mask("d", taken(k, order), config) == before[order]).all()


@given(datasets(), configs)
def test_both_sides_get_a_window_in_every_mode_that_can_split(k, config):
    held_out = validation_mask("d", k, config)
    assert held_out.any()
    assert not held_out.all()


@given(datasets(), st.integers(0, 2**63 - 1), st.floats(0.001, 0.999))
def test_no_group_stands_on_both_sides(k, seed, fraction):
    config = SplitConfig(mode="grouped", seed=seed, val_fraction=fraction)
    held_out = validation_mask("d", k, config)
    assert not set(k.group[held_out & (k.group > 0)]) & set(k.group[~held_out])


@given(datasets(), st.floats(0.001, 0.999))
def test_held_out_times_lie_after_all_training_times(k, fraction):
    held_out = validation_mask("d", k, SplitConfig(mode="temporal", val_fraction=fraction))
    timed = k.start_us != NO_TIME
    assert k.start_us[held_out].min() > k.start_us[timed & ~held_out].max()
    assert not held_out[~timed].any()


def test_the_side_of_a_window_does_not_depend_on_the_other_windows():
    many = keys(10_000)
    config = SplitConfig()
    part = np.arange(0, 10_000, 2)
    differ = (
        validation_mask("d", taken(many, part), config) != validation_mask("d", many, config)[part]
    )
    assert differ.sum() <= 2  # the smallest and the largest hash of either


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("mode", ["random_resplit", "temporal"])
def test_the_share_held_out_is_the_one_asked_for(mode, fraction):
    held_out = validation_mask("d", keys(100_000), SplitConfig(mode=mode, val_fraction=fraction))
    assert held_out.mean() == pytest.approx(fraction, abs=0.005)


def test_the_share_of_groups_held_out_is_the_one_asked_for():
    held_out = validation_mask("d", keys(100_000, groups=5000), SplitConfig(mode="grouped"))
    assert held_out.mean() == pytest.approx(0.1, abs=0.02)


def test_another_seed_is_another_split():
    k = keys(10_000)
    one, two = (validation_mask("d", k, SplitConfig(seed=s)) for s in (1, 2))
    assert 0.15 < (one != two).mean() < 0.21  # 2 x 0.1 x 0.9 if they are independent


def test_the_largest_seed_splits_too():
    assert validation_mask("d", keys(100), SplitConfig(seed=2**63 - 1)).any()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [0, 1])
def test_a_single_window_is_for_training(mode, n):
    assert not validation_mask("d", keys(n), SplitConfig(mode=mode)).any()


@pytest.mark.parametrize("mode", MODES)
def test_of_two_windows_each_side_gets_one(mode):
    assert validation_mask("d", keys(2), SplitConfig(mode=mode)).sum() == 1


def test_one_group_only_is_refused_with_the_way_out():
    with pytest.raises(CorpusError, match=r"tasks: all windows belong to one group.*split\.mode="):
        validation_mask("tasks", keys(10, groups=1), SplitConfig(mode="grouped"))


def test_windows_of_no_group_are_groups_of_their_own():
    assert validation_mask("d", keys(1000), SplitConfig(mode="grouped")).sum() > 50


def test_windows_without_times_cannot_be_cut_and_the_way_out_is_told():
    k = keys(10)
    k.start_us[:] = NO_TIME
    with pytest.raises(CorpusError, match=r"mail: fewer than two distinct.*split\.mode="):
        validation_mask("mail", k, SplitConfig(mode="temporal"))


def test_all_windows_from_the_cut_on_are_held_out():
    cut = dt.datetime(1970, 1, 3)  # noqa: DTZ001 - local
    held_out = validation_mask("d", keys(100), SplitConfig(mode="temporal", cut=cut))
    assert held_out.tolist() == [False] * 48 + [True] * 52


@pytest.mark.parametrize(("year", "held_out"), [(1960, 99), (2100, 1)])
def test_a_cut_outside_the_data_still_leaves_a_window_on_each_side(year, held_out):
    config = SplitConfig(mode="temporal", cut=dt.datetime(year, 1, 1))  # noqa: DTZ001
    assert validation_mask("d", keys(100), config).sum() == held_out


def test_a_million_windows_are_split():
    assert validation_mask("d", keys(1_000_000), SplitConfig()).sum() == pytest.approx(
        1e5, rel=0.02
    )
