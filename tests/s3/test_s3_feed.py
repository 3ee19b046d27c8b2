"""Feeds whose prepared windows lie in an object store."""

import pytest
import s3fs

from jepa_ray.corpus import open_feed, open_held_out
from jepa_ray.errors import CorpusError
from tests.corpus.cuts import SPLIT, drawn, same
from tests.prepared_corpus import JIRA, write_prepared

pytestmark = pytest.mark.s3
MODES = ("memory", "streaming")


@pytest.fixture
def stored(s3, tmp_path, monkeypatch):
    """The same prepared folder on a disk and in a bucket, reached by the environment alone."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    write_prepared(tmp_path / "p", tmp_path / "raw", records=120, files=9)
    s3.upload(tmp_path / "p", "p")
    yield str(tmp_path / "p"), f"{s3.url}/p"
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("mode", MODES)
def test_a_bucket_gives_the_batches_that_a_disk_gives(stored, mode):
    local, remote = (
        open_feed(place, [JIRA], SPLIT, mode=mode, batch_size=16, seed=3) for place in stored
    )
    for step in (0, 1, 6, 7, 50):
        assert same(local.batch(step), remote.batch(step))


def test_a_bucket_gives_the_held_out_windows_that_a_disk_gives(stored):
    local, remote = (
        open_held_out(place, [JIRA], SPLIT, batches=2, batch_size=4, seed=3) for place in stored
    )
    assert local.uids.tolist() == remote.uids.tolist()


@pytest.mark.parametrize("mode", MODES)
def test_a_part_that_is_not_in_the_bucket_is_named(stored, s3, mode):
    key = sorted(key for key in s3.contents() if key.endswith(".parquet"))[4]
    s3.fs.rm_file(key)
    with pytest.raises(CorpusError, match=f"s3://{key} is missing or damaged"):
        open_feed(stored[1], [JIRA], SPLIT, mode=mode, batch_size=16, seed=3)


def test_a_part_that_is_lost_in_the_middle_of_an_epoch_is_named(stored, s3):
    feed = open_feed(stored[1], [JIRA], SPLIT, mode="streaming", batch_size=16, seed=3)
    feed._pool_bytes = 1000
    feed.batch(0)
    for key in s3.contents():
        if key.endswith(".parquet"):
            s3.fs.rm_file(key)
    with pytest.raises(CorpusError, match=f"s3://{s3.bucket}/p/.* is missing or damaged"):
        drawn(feed, range(100))
