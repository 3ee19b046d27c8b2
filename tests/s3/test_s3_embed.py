"""Embedding from a bucket into a bucket, which cannot rename."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from tests.evaluate.embeddings import checkpoint
from tests.prepared_corpus import write_prepared

pytestmark = pytest.mark.s3


def embed(s3, *more):
    return subprocess.run(
        [
            sys.executable, "-m", "jepa_ray", "embed", f"{s3.url}/run", "--input", f"{s3.url}/p",
            "--output", f"{s3.url}/o.parquet", "--json", *map(str, more),
        ],
        capture_output=True, text=True, check=False, timeout=240,
        env=os.environ | s3.environment,
    )  # fmt: skip


def output(s3):
    there = f"{s3.bucket}/o.parquet/"
    return {k.removeprefix(there): v for k, v in s3.contents().items() if k.startswith(there)}


def test_a_table_in_a_bucket_is_whole_and_replaced_whole(s3, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=40)
    checkpoint(tmp_path / "run")
    s3.upload(tmp_path / "p", "p")
    s3.upload(tmp_path / "run", "run")
    first = embed(s3, "--set", "file_windows=9")
    assert first.returncode == 0, first.stderr
    written = output(s3)
    document = json.loads(written["_embeddings.json"])
    assert set(written) == {"_embeddings.json", *(p["name"] for p in document["parts"])}
    assert len(document["parts"]) == json.loads(first.stdout)["files"] == 5
    table = pq.read_table(f"{s3.bucket}/o.parquet", filesystem=s3.fs)
    assert len(table) == len(set(table["window_uid"].to_pylist())) == 40

    taken = embed(s3)
    assert taken.returncode == 2
    assert "--overwrite replaces them" in taken.stderr
    assert output(s3) == written
    replaced = embed(s3, "--overwrite")
    assert replaced.returncode == 0, replaced.stderr
    assert json.loads(replaced.stdout)["files"] == 1
    assert len(output(s3)) == 2
    again = embed(s3)
    assert json.loads(again.stdout)["unchanged"], again.stderr


def test_a_copy_that_was_cut_off_is_finished_by_the_next_run(s3, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=40)
    checkpoint(tmp_path / "run")
    s3.upload(tmp_path / "p", "p")
    s3.upload(tmp_path / "run", "run")
    assert embed(s3).returncode == 0
    whole = output(s3)
    s3.fs.rm_file(f"{s3.bucket}/o.parquet/_embeddings.json")
    found = embed(s3)
    assert found.returncode == 0, found.stderr
    now = output(s3)
    del whole["_embeddings.json"], now["_embeddings.json"]
    assert now == whole
