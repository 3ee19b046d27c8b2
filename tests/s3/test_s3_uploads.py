"""Large files go up in parts, and no parts stay behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from jepa_ray.errors import StageError
from jepa_ray.storage import (
    atomic_writer,
    client_failures,
    remove_uploads,
    resolve,
    unfinished_uploads,
    write_bytes,
)
from tests.s3.faulty_store import DROP, HANG, LOSE_ANSWER

pytestmark = pytest.mark.s3
LARGE = 101 << 20
_WRITE = """
import sys
from jepa_ray.storage import atomic_writer
with atomic_writer(sys.argv[1]) as file:
    file.write(bytes(101 << 20))
"""


def parts_of(s3):
    return [f"{s3.url}/{each['Key']}" for each in s3.fs.list_multipart_uploads(s3.bucket)]


def write_large(url):
    with client_failures(f"writing {url}"), atomic_writer(url) as file:
        file.truncate(LARGE)


def test_a_large_file_is_written_in_parts_and_none_stays(s3, store):
    write_large(f"{s3.url}/large")
    assert sum("partNumber" in request for request in store.requests) == 3
    assert s3.fs.info(f"{s3.bucket}/large")["size"] == LARGE
    assert parts_of(s3) == []


@pytest.mark.parametrize("how", [write_large, lambda url: write_bytes(url, bytes(LARGE))])
def test_a_large_write_that_fails_takes_its_parts_back(s3, store, few_tries, how):
    few_tries(2)
    store.fail([503] * 99, on="PUT .*partNumber=2")
    with pytest.raises(StageError, match=f"writing {s3.url}/large failed"):
        how(f"{s3.url}/large")
    assert parts_of(s3) == []
    assert not s3.fs.exists(f"{s3.bucket}/large")


def test_the_end_of_a_large_write_whose_answer_was_lost_is_the_end(s3, store):
    store.fail([LOSE_ANSWER], on="POST .*uploadId")
    write_large(f"{s3.url}/large")
    assert s3.fs.info(f"{s3.bucket}/large")["size"] == LARGE
    assert parts_of(s3) == []


def test_a_copy_in_parts_that_fails_takes_them_back(s3, store, few_tries, monkeypatch):
    monkeypatch.setattr("s3fs.core.MANAGED_COPY_THRESHOLD", 1 << 20)
    few_tries(2)
    write_bytes(f"{s3.url}/from", bytes(60 << 20))
    store.fail([503] * 99, on="PUT .*partNumber=2")
    fs, path = resolve(f"{s3.url}/from")
    with pytest.raises(OSError, match="SlowDown"):
        fs.copy(path, f"{s3.bucket}/to")
    assert parts_of(s3) == []


@pytest.fixture
def killed(s3, store):
    """A bucket with the parts of a write whose process was killed."""
    store.hang_seconds = 20
    store.fail([HANG] * 9, on="PUT .*partNumber=3")
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITE, f"{s3.url}/runs/large"], env=os.environ | s3.environment
    )
    while not any("partNumber=3" in request for request in store.requests):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    store.heal()
    return s3


def test_what_a_killed_write_left_is_found_and_removed(killed):
    (found,) = unfinished_uploads(f"{killed.url}/runs")
    assert found.url == f"{killed.url}/runs/large"
    assert found.hours() > -1  # moto says 2010 of all
    assert unfinished_uploads(f"{killed.url}/run") == []
    assert remove_uploads([found]) == 1
    assert parts_of(killed) == []
    assert remove_uploads([found]) == 0


def test_the_doctor_says_what_a_killed_write_left_and_removes_it(killed, command):
    found = command("doctor", "--storage", f"{killed.url}/runs", "--json")
    (line,) = (f for f in found.json["findings"] if f["check"] == "unfinished uploads")
    assert line["said"].startswith("1, ")
    found = command("doctor", "--storage", f"{killed.url}/runs", "--remove-uploads", "0")
    assert "unfinished uploads: 1 removed, none left" in found.out
    assert parts_of(killed) == []


def test_there_are_no_unfinished_uploads_on_a_disk(tmp_path):
    assert unfinished_uploads(str(tmp_path)) == []


def test_uploads_that_the_store_does_not_list_are_an_error(s3, store, few_tries):
    few_tries(2)
    store.fail([DROP] * 99, on="GET .*uploads")
    with pytest.raises(StageError, match=f"listing the unfinished uploads of {s3.url}/runs failed"):
        unfinished_uploads(f"{s3.url}/runs")
