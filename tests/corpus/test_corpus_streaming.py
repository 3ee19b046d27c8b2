"""The streaming feed: each window once an epoch, whatever the cut, from any step on."""

import shutil
import tempfile
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.corpus.batch import Share
from jepa_ray.errors import CorpusError
from tests.corpus.cuts import cut_anew, drawn, in_memory, same, streaming, train_uids
from tests.prepared_corpus import JIRA, write_prepared

BOTH = [JIRA, "gharchive"]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 70), st.integers(1, 9000), st.data())
def test_an_epoch_visits_each_window_exactly_once_for_any_cut(
    two_datasets, parts, group, batch, pool_bytes, data
):
    seed, epoch = data.draw(st.integers(0, 2**63 - 1)), data.draw(st.integers(0, 3))
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "gharchive"
        cut_anew(two_datasets / "gharchive", target, parts=parts, group=group, seed=parts)
        feed = streaming(name, ["gharchive"], batch=batch, seed=seed, pool_bytes=pool_bytes)
        steps = range(epoch * feed.windows // batch, -(-(epoch + 1) * feed.windows // batch))
        before = epoch * feed.windows - steps.start * batch
        found = drawn(feed, steps)[before : before + feed.windows]
    assert sorted(found) == train_uids(two_datasets, ["gharchive"])


def test_datasets_are_mixed_and_none_is_left_out(two_datasets):
    feed = streaming(two_datasets, BOTH, batch=1, pool_bytes=1 << 20)
    assert sorted(drawn(feed, range(feed.windows))) == train_uids(two_datasets, BOTH)
    first = drawn(feed, range(feed.windows // 2))
    events = set(train_uids(two_datasets, ["gharchive"]))
    assert 0 < len(events.intersection(first)) < len(first)


def test_the_windows_are_those_of_their_uids(two_datasets):
    known = {}
    feed = in_memory(two_datasets, BOTH, batch_size=1)
    for step in range(feed.windows):
        found = feed.batch(step)
        known[found.uids.item()] = found.windows.densify().tobytes()
    feed = streaming(two_datasets, BOTH, batch=7)
    for step in range(40):
        windows, uids = feed.batch(step)
        dense = windows.densify()
        assert [x.tobytes() for x in dense] == [known[uid] for uid in uids.tolist()]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_a_step_gives_the_same_batch_whatever_was_asked_before(two_datasets, steps):
    used = streaming(two_datasets, BOTH)
    for step in steps:
        assert same(used.batch(step), streaming(two_datasets, BOTH).batch(step))


def test_resuming_reads_one_pool_and_not_what_came_before(two_datasets, monkeypatch):
    feed, read = streaming(two_datasets, [JIRA], batch=1), []
    real = type(feed._reader).read

    def counting(self, wanted, columns):
        read.extend(part for part, groups in wanted.items() for _ in groups)
        return real(self, wanted, columns)

    monkeypatch.setattr(type(feed._reader), "read", counting)
    feed.batch(10 * feed.windows + feed.windows // 2)
    assert len(read) == 1


@pytest.mark.parametrize("other", [{"seed": 3}, {}])
def test_another_seed_or_epoch_is_another_order_of_the_parts_and_in_them(two_datasets, other):
    feed = streaming(two_datasets, [JIRA], batch=1)
    after = streaming(two_datasets, [JIRA], batch=1, **other)
    start = 0 if other else feed.windows
    one = drawn(feed, range(feed.windows))
    two = drawn(after, range(start, start + feed.windows))
    assert sorted(one) == sorted(two)
    fixed = sum(a == b for a, b in zip(one, two, strict=True))
    assert fixed < 10  # of about 216; one is expected


def test_a_pool_mixes_the_windows_of_its_row_groups(two_datasets):
    feed = streaming(two_datasets, [JIRA], batch=1, pool_bytes=1 << 20)
    order, uids = drawn(feed, range(feed.windows)), train_uids(two_datasets, [JIRA])
    places = np.array([uids.index(uid) for uid in order])
    assert abs(np.corrcoef(places, np.arange(len(places)))[0, 1]) < 0.25


def test_one_pool_for_all_is_read_once(two_datasets, monkeypatch):
    feed = streaming(two_datasets, BOTH, pool_bytes=1 << 20)
    feed.batch(0)
    monkeypatch.setattr(feed, "_reader", None)
    assert len(drawn(feed, range(1, 100))) == 99 * 16


@pytest.mark.parametrize("world", [2, 4, 8])
def test_the_ranks_share_the_global_batch_without_overlap(two_datasets, world):
    whole = streaming(two_datasets, BOTH)
    ranks = [streaming(two_datasets, BOTH, share=Share(rank, world)) for rank in range(world)]
    for step in (0, 1, 7, 19, 20, 300):
        uids = whole.batch(step).uids
        for rank, feed in enumerate(ranks):
            assert feed.batch(step).uids.tolist() == uids[rank::world].tolist()


def test_a_side_smaller_than_a_batch_wraps_its_epochs(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=4)
    feed = streaming(tmp_path / "p", [JIRA], batch=16)
    found = drawn(feed, range(3))
    assert set(Counter(found).values()) == {48 // feed.windows}


def test_parts_of_no_training_window_are_never_read(tmp_path, two_datasets):
    cut_anew(two_datasets / JIRA, tmp_path / JIRA, parts=120)
    feed = streaming(tmp_path, [JIRA], batch=1)
    empty = [
        g.part for g, size in zip(feed._datasets[0].groups, feed._sizes, strict=True) if not size
    ]
    assert empty
    for part in empty:
        Path(part.url).unlink()
    assert len(drawn(feed, range(feed.windows))) == feed.windows


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage", "other"])
def test_a_part_that_goes_bad_in_the_middle_of_an_epoch_is_named(tmp_path, two_datasets, damage):
    shutil.copytree(two_datasets / JIRA, tmp_path / JIRA)
    feed = streaming(tmp_path, [JIRA], batch=1)
    feed.batch(0)
    held = feed._pool[0].item()
    groups = feed._datasets[0].groups
    victim = Path(groups[(held + 1) % len(groups)].part.url)
    if damage == "missing":
        victim.unlink()
    elif damage == "other":
        shutil.copy(groups[(held + 2) % len(groups)].part.url, victim)
    else:
        data = victim.read_bytes()
        victim.unlink()
        victim.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"x" * len(data))
    with pytest.raises(CorpusError) as caught:
        drawn(feed, range(feed.windows))
    assert str(victim) in str(caught.value)


def test_parts_of_an_object_store_are_fetched_in_the_background(tmp_path, two_datasets):
    write_prepared("memory://stream", tmp_path, files=8)
    feed = streaming("memory://stream", [JIRA], batch=4, pool_bytes=1000)
    feed.batch(0)
    assert feed._reader._coming
    assert any(thread.name.startswith("parts") for thread in threading.enumerate())
    assert sorted(drawn(feed, range(feed.windows // 4 + 1))[: feed.windows]) == train_uids(
        "memory://stream", [JIRA]
    )
