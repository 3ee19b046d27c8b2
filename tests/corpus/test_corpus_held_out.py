"""The held-out windows of validations: the same draw from disk and from memory."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import load, open_held_out
from jepa_ray.corpus.batch import generator
from tests.corpus.cuts import SPLIT, cut_anew
from tests.prepared_corpus import JIRA, write_prepared

BOTH = [JIRA, "gharchive"]


def opened(processed, names=BOTH, *, split=SPLIT, batches=3, batch_size=4, seed=5):
    return open_held_out(
        str(processed), names, split, batches=batches, batch_size=batch_size, seed=seed
    )


def test_each_window_is_drawn_at_most_once(two_datasets):
    found = opened(two_datasets, batches=2, batch_size=4)
    assert [len(x) for x in found] == [4, 4]
    assert len(set(found.uids.tolist())) == 8


def test_a_small_side_gives_fewer_batches_and_a_small_last_one(two_datasets):
    found = opened(two_datasets, batches=1000, batch_size=4)
    *full, last = [len(x) for x in found]
    assert set(full) == {4}
    assert (last, len(set(found.uids.tolist()))) == ((found.total - 1) % 4 + 1, found.total)


def test_the_draw_is_the_same_each_time_and_differs_by_seed(two_datasets):
    one, again, other = (opened(two_datasets, seed=seed).uids.tolist() for seed in (5, 5, 6))
    assert one == again
    assert one != other


@pytest.mark.parametrize("mode", ["random_resplit", "grouped", "temporal"])
@pytest.mark.parametrize("batches", [1, 3, 1000])
def test_from_disk_the_draw_is_that_from_the_loaded_side(two_datasets, mode, batches):
    split = SplitConfig(mode=mode, seed=1)
    side = load(str(two_datasets), BOTH, split).side("val")
    ours = opened(two_datasets, split=split, batches=batches)
    assert ours.total == len(side)
    theirs = side.take(generator(5, 0).permutation(len(side))[: batches * 4]).densify()
    assert np.array_equal(torch.cat(list(ours)).numpy(), theirs)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 99), st.integers(0, 2**32))
def test_no_cut_into_parts_and_row_groups_changes_the_draw(two_datasets, parts, group, seed):
    names = ["gharchive"]
    before = opened(two_datasets, names, batches=2, batch_size=3)
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "gharchive"
        cut_anew(two_datasets / "gharchive", target, parts=parts, group=group, seed=seed)
        after = opened(name, names, batches=2, batch_size=3)
    assert before.uids.tolist() == after.uids.tolist()
    assert torch.equal(torch.cat(list(before)), torch.cat(list(after)))


def test_no_window_of_it_is_for_training(two_datasets):
    held_out = set(opened(two_datasets, batches=1000).uids.tolist())
    datasets = load(str(two_datasets), BOTH, SPLIT).datasets
    assert held_out == {uid for d in datasets for uid in d.uid[d.val].tolist()}


def test_a_side_of_no_window_gives_no_batch(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=1)
    found = opened(tmp_path / "p", [JIRA])
    assert (found.total, list(found)) == (0, [])
