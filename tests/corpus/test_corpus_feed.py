"""The feed in memory, and what both modes have in common."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import MemoryFeed, Rows, Share, choose_mode, load, open_feed, side_sizes
from jepa_ray.corpus.batch import WHOLE
from jepa_ray.errors import CorpusError
from tests.corpus.cuts import SPLIT, cut_anew, drawn, in_memory, same, train_uids
from tests.corpus.windows import moments
from tests.prepared_corpus import JIRA, write_prepared

BOTH = [JIRA, "gharchive"]
MODES = ("memory", "streaming")


def feed_of(n: int, *, batch: int, seed: int, share: Share = WHOLE) -> MemoryFeed:
    """A feed of n windows whose uids are their rows."""
    rows = Rows(moments(n), np.arange(n, dtype=np.uint64))
    return MemoryFeed(rows, np.arange(n), batch_size=batch, seed=seed, share=share)


@given(st.integers(1, 50), st.integers(1, 40), st.integers(0, 2**63 - 1), st.integers(0, 20))
def test_an_epoch_visits_each_window_exactly_once(n, batch, seed, epoch):
    feed = feed_of(n, batch=batch, seed=seed)
    found = drawn(feed, range(-(-(epoch + 1) * n // batch)))
    assert sorted(found[epoch * n : (epoch + 1) * n]) == list(range(n))


def test_two_epochs_have_different_orders():
    feed = feed_of(64, batch=64, seed=1)
    assert drawn(feed, range(1)) != drawn(feed, range(1, 2))


def test_two_seeds_have_different_orders():
    one, two = (drawn(feed_of(64, batch=64, seed=seed), range(1)) for seed in (1, 2))
    assert one != two


def test_a_step_gives_the_same_batch_whatever_was_asked_before():
    fresh, used = (feed_of(30, batch=8, seed=3) for _ in range(2))
    for step in (9, 0, 4):
        used.batch(step)
    assert same(fresh.batch(7), used.batch(7))


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 40), st.integers(0, 30))
def test_the_ranks_share_the_global_batch_without_overlap(world, n, step):
    uids = feed_of(n, batch=8, seed=3).batch(step).uids.tolist()
    for rank in range(world):
        feed = feed_of(n, batch=8, seed=3, share=Share(rank, world))
        assert feed.batch(step).uids.tolist() == uids[rank::world]


def test_a_side_smaller_than_a_batch_wraps_its_epochs():
    uids = feed_of(3, batch=8, seed=0).batch(0).uids.tolist()
    assert len(uids) == 8
    assert sorted(uids[:3]) == sorted(uids[3:6]) == [0, 1, 2]


def test_a_single_window_fills_every_batch():
    assert not feed_of(1, batch=5, seed=0).batch(100).uids.any()


def test_a_feed_of_no_window_is_our_own_mistake():
    with pytest.raises(AssertionError):
        feed_of(0, batch=5, seed=0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 99), st.integers(0, 2**32))
def test_in_memory_no_cut_into_parts_and_row_groups_changes_a_batch(
    two_datasets, parts, group, seed
):
    names = ["gharchive"]
    before = in_memory(two_datasets, names)
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "gharchive"
        cut_anew(two_datasets / "gharchive", target, parts=parts, group=group, seed=seed)
        after = in_memory(name, names)
    for step in (0, 4, 5, 6, 100):
        assert same(before.batch(step), after.batch(step))


@pytest.mark.parametrize("mode", ["random_resplit", "grouped", "temporal"])
def test_in_memory_the_order_is_that_of_the_loaded_corpus(two_datasets, mode):
    split = SplitConfig(mode=mode, seed=1)
    corpus = load(str(two_datasets), BOTH, split)
    uids = np.concatenate([d.uid[d.train] for d in corpus.datasets])
    peer = MemoryFeed(Rows(corpus.side("train"), uids), np.arange(len(uids)), batch_size=32, seed=5)
    feed = open_feed(str(two_datasets), BOTH, split, mode="memory", batch_size=32, seed=5)
    assert all(same(feed.batch(step), peer.batch(step)) for step in (0, 1, 9, 10, 11, 200))


@pytest.mark.parametrize("split_mode", ["random_resplit", "grouped", "temporal"])
def test_both_modes_draw_the_same_windows_in_an_epoch(two_datasets, split_mode):
    split = SplitConfig(mode=split_mode, seed=3)
    one, two = (
        open_feed(str(two_datasets), BOTH, split, mode=mode, batch_size=1, seed=5) for mode in MODES
    )
    assert one.windows == two.windows
    assert sorted(drawn(one, range(one.windows))) == sorted(drawn(two, range(two.windows)))


@pytest.mark.parametrize("mode", MODES)
def test_a_feed_opens_from_a_url(tmp_path, mode):
    write_prepared("memory://feed", tmp_path, records=40)
    feed = open_feed("memory://feed", [JIRA], SPLIT, mode=mode, batch_size=1, seed=5)
    assert sorted(drawn(feed, range(feed.windows))) == train_uids("memory://feed", [JIRA])


@pytest.mark.parametrize("mode", MODES)
def test_ranks_that_do_not_divide_the_batch_are_our_own_mistake(two_datasets, mode):
    feed = open_feed(
        str(two_datasets), [JIRA], SPLIT, mode=mode, batch_size=8, seed=5, rank=0, world=3
    )
    with pytest.raises(AssertionError):
        feed.batch(0)


@pytest.mark.parametrize("mode", MODES)
def test_a_missing_part_is_named_when_a_feed_opens(tmp_path, two_datasets, mode):
    cut_anew(two_datasets / JIRA, tmp_path / JIRA, parts=3)
    gone = tmp_path / JIRA / "windows" / "part-001.parquet"
    gone.unlink()
    with pytest.raises(CorpusError, match=f"{gone} is missing or damaged"):
        open_feed(str(tmp_path), [JIRA], SPLIT, mode=mode, batch_size=8, seed=5)


def test_folders_with_one_name_in_their_manifests_are_counted_each(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=40)
    shutil.copytree(tmp_path / "p" / JIRA, tmp_path / "p" / "copy")
    found = side_sizes(str(tmp_path / "p"), ["copy", JIRA], SPLIT)
    assert found["copy"] == found[JIRA]


def test_memory_is_chosen_where_the_windows_need_at_most_half_of_it(two_datasets):
    mode, said = choose_mode(str(two_datasets), BOTH, "auto", 10**9)
    assert mode == "memory"
    assert "load_mode memory" in said
    assert "at most half of the 1 GB" in said


def test_streaming_is_chosen_where_they_need_more(two_datasets):
    mode, said = choose_mode(str(two_datasets), BOTH, "auto", 30_000)
    assert mode == "streaming"
    assert "more than half of the 3e-05 GB" in said


@pytest.mark.parametrize("mode", MODES)
def test_a_configured_mode_is_taken_whatever_the_memory(two_datasets, mode):
    assert choose_mode(str(two_datasets), BOTH, mode, 0) == (
        mode,
        f"load_mode {mode}, as configured",
    )


@pytest.mark.parametrize("mode", MODES)
def test_two_threads_that_share_a_feed_get_what_one_gets(two_datasets, mode):
    feeds = {
        name: open_feed(str(two_datasets), BOTH, SPLIT, mode=mode, batch_size=16, seed=5)
        for name in ("shared", "own")
    }
    steps = [*range(0, 90, 2), *range(1, 90, 2)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(feeds["shared"].batch, steps))
    assert all(same(x, feeds["own"].batch(step)) for x, step in zip(found, steps, strict=True))
