"""Embedding from a bucket into a bucket, which cannot rename."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from jepa_ray.config import EmbedConfig
from jepa_ray.errors import UsageError
from jepa_ray.evaluate import EmbedResult, embed_windows
from tests.evaluate.embeddings import checkpoint
from tests.prepared_corpus import write_prepared

pytestmark = pytest.mark.s3


@pytest.fixture
def filled(s3, tmp_path, monkeypatch):
    """The bucket, with prepared windows and a checkpoint; this process reaches it."""
    write_prepared(tmp_path / "p", tmp_path / "raw", records=40)
    checkpoint(tmp_path / "run")
    s3.upload(tmp_path / "p", "p")
    s3.upload(tmp_path / "run", "run")
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3


def embed(s3, **more) -> EmbedResult:
    return embed_windows(f"{s3.url}/run", f"{s3.url}/p", f"{s3.url}/o.parquet", **more)


def output(s3) -> dict[str, bytes]:
    there = f"{s3.bucket}/o.parquet/"
    return {k.removeprefix(there): v for k, v in s3.contents().items() if k.startswith(there)}


def test_the_command_writes_a_table_that_any_reader_takes_whole(filled):
    found = subprocess.run(
        [
            sys.executable, "-m", "jepa_ray", "embed", f"{filled.url}/run", "--input",
            f"{filled.url}/p", "--output", f"{filled.url}/o.parquet", "--json",
            "--set", "file_windows=9",
        ],
        capture_output=True, text=True, check=False, timeout=240,
        env=os.environ | filled.environment,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    written = output(filled)
    document = json.loads(written["_embeddings.json"])
    assert set(written) == {"_embeddings.json", *(p["name"] for p in document["parts"])}
    assert len(document["parts"]) == json.loads(found.stdout)["files"] == 5
    table = pq.read_table(f"{filled.bucket}/o.parquet", filesystem=filled.fs)
    assert len(table) == len(set(table["window_uid"].to_pylist())) == 40


def test_a_table_in_a_bucket_is_replaced_only_with_overwrite(filled):
    embed(filled, config=EmbedConfig(file_windows=9))
    written = output(filled)
    with pytest.raises(UsageError, match="--overwrite replaces them"):
        embed(filled)
    assert output(filled) == written
    embed(filled, overwrite=True)
    assert len(output(filled)) == 2
    assert embed(filled).unchanged


def test_a_copy_that_was_cut_off_is_finished_by_the_next_run(filled):
    embed(filled)
    whole = output(filled)
    filled.fs.rm_file(f"{filled.bucket}/o.parquet/_embeddings.json")
    embed(filled)
    now = output(filled)
    del whole["_embeddings.json"], now["_embeddings.json"]
    assert now == whole


def test_an_output_in_a_bucket_that_is_not_there_is_named(filled):
    with pytest.raises(UsageError, match=r"no-such-bucket-anywhere/o\.parquet"):
        embed_windows(
            f"{filled.url}/run", f"{filled.url}/p", "s3://no-such-bucket-anywhere/o.parquet"
        )
