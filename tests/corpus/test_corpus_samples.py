"""The windows of an evaluation, drawn at once from both sides."""

from pathlib import Path

import numpy as np
import pytest

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import Counts, Samples, draw_samples, load, open_held_out
from tests.prepared_corpus import JIRA, write_prepared

SPLIT = SplitConfig(seed=5, val_fraction=0.3)
NAMES = [JIRA, "gharchive"]
COUNTS = Counts(held_out=24, each=20, training=30)


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    write_prepared(folder / "p", folder / "raw", JIRA, records=300)
    write_prepared(folder / "p", folder / "raw", "gharchive", records=80)
    return str(folder / "p")


def drawn(processed: str | Path, counts: Counts = COUNTS) -> Samples:
    return draw_samples(str(processed), NAMES, SPLIT, counts, seed=2)


def test_the_first_draw_is_that_of_validations(processed):
    theirs = open_held_out(processed, NAMES, SPLIT, batches=3, batch_size=8, seed=2)
    ours = drawn(processed).held_out
    assert (ours.uids == theirs.uids).all()
    for a, b in zip(ours.batches(8), theirs, strict=True):
        assert (a == b).all()


def test_each_dataset_gets_as_many_windows_as_asked_for_none_twice(processed):
    found = drawn(processed)
    uids = np.concatenate([found.held_out.uids, found.more.uids])
    datasets = np.concatenate([found.held_out.dataset, found.more.dataset])
    assert len(np.unique(uids)) == len(uids)
    expected = [max(20, (found.held_out.dataset == i).sum()) for i in range(2)]
    assert np.bincount(datasets).tolist() == np.minimum(expected, found.totals).tolist()


def test_windows_of_either_side_come_from_that_side_and_their_dataset(processed):
    found = drawn(processed)
    for i, dataset in enumerate(load(processed, NAMES, SPLIT).datasets):
        sides = {"val": (found.held_out, found.more), "train": (found.training,)}
        for side, samples in sides.items():
            allowed = dataset.uid[getattr(dataset, side)]
            for sample in samples:
                assert np.isin(sample.uids[sample.dataset == i], allowed).all()


def test_more_than_there_is_gives_all_of_it_once(processed):
    found = drawn(processed, Counts(10_000, 10_000, 10_000))
    assert len(found.held_out) == sum(found.totals)
    assert not len(found.more)
    whole = load(processed, NAMES, SPLIT).datasets
    assert len(found.training) == sum(len(each.train) for each in whole)


def test_how_the_files_were_cut_does_not_reach_the_draws(tmp_path):
    for files in (1, 3):
        folder = tmp_path / str(files)
        write_prepared(folder, tmp_path / f"raw{files}", JIRA, records=200, files=files)
        write_prepared(folder, tmp_path / f"raw{files}", "gharchive", records=40)
    one, three = drawn(tmp_path / "1"), drawn(tmp_path / "3")
    for name in ("held_out", "more", "training"):
        a, b = getattr(one, name), getattr(three, name)
        assert (a.uids == b.uids).all()
        assert (a.windows.fingerprints() == b.windows.fingerprints()).all()
        assert (a.actor == b.actor).all()


def test_a_window_of_nobody_is_a_group_of_its_own(processed):
    sample = drawn(processed).held_out
    groups = sample.groups()
    nobody = sample.actor == 0
    assert nobody.any()
    assert (~nobody).any()
    assert len(np.unique(groups[nobody])) == nobody.sum()
    assert (groups[~nobody] == sample.actor[~nobody]).all()


def test_a_window_is_seen_where_an_equal_one_is_on_a_training_side(processed):
    found = drawn(processed)
    datasets = load(processed, NAMES, SPLIT).datasets
    training = [d.windows.take(d.train).fingerprints() for d in datasets]
    for side in (found.held_out, found.more, found.training):
        expected = np.isin(side.windows.fingerprints(), np.concatenate(training))
        assert (found.seen(side) == expected).all()
    assert found.seen(found.training).all()
    assert not found.seen(found.held_out).all()
