"""A confirmation run in an object store."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.cluster.raylets import start_raylets
from tests.confirm.runs import corpus, flags
from tests.confirm.without_ray import numbers, numbers_without_ray
from tests.s3.conftest import serving

pytestmark = pytest.mark.s3
LONG = {
    "train__steps": 600, "train__val_every": 300, "train__checkpoint.every": 100,
    "train__mixing": "interleaved",
    "train__max_failures": 20,  # a busy head notices a lost node late, and places workers on it
}  # fmt: skip


def start(s3, processed, storage, *more, **settings):
    given = {"train__steps": 6} | settings
    return subprocess.Popen(
        [sys.executable, "-m", "jepa_ray", "confirm", "--processed-dir", processed,
         "--storage-path", storage, "--run-id", "a", "--seeds", "1,2", "--json",
         *flags(**given), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | s3.environment,
    )  # fmt: skip


def finish(process, seconds=60):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("processed", "storage", "named"),
    [
        (None, "s3://no-such-bucket-anywhere/x", "s3://no-such-bucket-anywhere/x/a"),
        ("s3://no-such-bucket-anywhere/p", None, "s3://no-such-bucket-anywhere/p"),
    ],
)
def test_a_bucket_that_is_not_there_is_named(s3, tmp_path, processed, storage, named):
    ours = processed or corpus(tmp_path)
    code, _, err = finish(start(s3, ours, storage or f"{s3.url}/runs"))
    assert code == 2
    assert named in err
    assert "Traceback" not in err


def test_a_store_that_lets_nobody_in_is_one_message(s3, tmp_path):
    ours = corpus(tmp_path)
    with serving(INITIAL_NO_AUTH_ACTION_COUNT="0") as closed:  # moto: then it asks who one is
        s3.environment["AWS_ENDPOINT_URL"] = closed
        code, _, err = finish(start(s3, ours, "s3://closed/runs"))
    assert code == 2
    assert "s3://closed/runs" in err
    assert "the store does not take these credentials (InvalidAccessKeyId)" in err
    assert "AWS_ACCESS_KEY_ID" in err
    assert "Traceback" not in err


def test_a_run_that_another_process_holds_is_refused(s3, tmp_path):
    """The lease of a driver that is alive: its number goes up."""
    lease = f"{s3.bucket}/runs/a/.lease"
    s3.fs.pipe_file(lease, json.dumps({"owner": "x", "host": "there", "beat": 0}).encode())
    process, beat = start(s3, corpus(tmp_path), f"{s3.url}/runs"), 0
    while process.poll() is None:
        beat += 1
        s3.fs.pipe_file(lease, json.dumps({"owner": "x", "host": "there", "beat": beat}).encode())
        time.sleep(0.3)
    code, _, err = finish(process)
    assert code == 2
    assert "another process, on there, is at work: confirm into s3://" in err


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_cluster_that_loses_a_node_ends_with_the_same_numbers(s3, tmp_path):
    """Three raylets, windows and run in a bucket; the node of a worker is killed on the way."""
    local = corpus(tmp_path)
    s3.upload(tmp_path / "p", "p")
    with start_raylets(s3.environment) as raylets:
        s3.environment["RAY_ADDRESS"] = raylets.address
        process = start(s3, f"{s3.url}/p", f"{s3.url}/runs", **LONG)
        _wait_for_state(s3, "step-00000200.pt", process)
        raylets.kill_node_of_a_worker()
        code, out, err = finish(process, 600)
        assert code == 0, err
    found = json.loads(out)
    assert numbers(found) == numbers_without_ray(local, tmp_path / "calm", **LONG)
    run = f"{s3.bucket}/runs/a/"
    contents = s3.contents()  # without what the listings of before say
    names = {key.removeprefix(run) for key in contents if key.startswith(run)}
    assert {"confirm.yaml", "corpus.json", "confirmation.json", "pass02/report.json"} <= names
    assert {"pass01/combined/schedule_jepa.pt", "pass02/gharchive/schedule_jepa.pt"} <= names
    assert ".lease" not in names
    assert json.loads(contents[run + "confirmation.json"]) == found


def _wait_for_state(s3, name, process):
    for _ in range(1000):
        s3.fs.invalidate_cache()
        if any(key.endswith(name) for key in s3.fs.find(f"{s3.bucket}/runs")):
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.3)
    raise TimeoutError("no state appears")
