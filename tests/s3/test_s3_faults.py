"""A store that is unwell for a moment is waited for; one that stays so is one message."""

import time

import pytest
import s3fs

from jepa_ray.errors import ConfigError, StageError, UsageError
from jepa_ray.storage import (
    atomic_writer,
    delete,
    exists,
    join,
    list_names,
    open_source,
    read_bytes,
    require_writable,
    resolve,
    source_path,
    write_bytes,
)
from jepa_ray.storage.s3 import TRIES, S3Store
from tests.s3.faulty_store import CUT, DROP, HANG, LOSE_ANSWER, faulty

pytestmark = pytest.mark.s3
UNWELL = [503, DROP, 500, 502, 503]


@pytest.fixture
def store(s3, monkeypatch):
    """The bucket behind a proxy that fails as it is told; this process reaches it."""
    with faulty(s3.environment["AWS_ENDPOINT_URL"]) as proxy:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        s3.environment["AWS_ENDPOINT_URL"] = proxy.endpoint
        _forget_clients()
        yield proxy
        _forget_clients()


def _forget_clients():
    s3fs.S3FileSystem.clear_instance_cache()
    S3Store.clear_instance_cache()


def test_a_write_and_a_read_ride_out_an_unwell_store(s3, store):
    url = f"{s3.url}/a/b"
    store.fail(UNWELL, on="PUT")
    store.fail(UNWELL, on="GET")
    store.fail(UNWELL, on="HEAD")
    write_bytes(url, b"content")
    assert read_bytes(url) == b"content"
    assert store.planned() == 0


@pytest.mark.parametrize(
    ("do", "method"),
    [
        (list_names, "GET"),
        (lambda url: exists(join(url, "b")), "HEAD"),
        (lambda url: delete(join(url, "b")), "DELETE"),
        (require_writable, "PUT"),
    ],
)
def test_every_operation_rides_out_an_unwell_store(s3, store, do, method):
    url = f"{s3.url}/a"
    write_bytes(join(url, "b"), b"1")
    store.fail(UNWELL, on=method)
    do(url)
    assert store.planned() == 0


def test_a_body_that_breaks_off_is_read_again(s3, store):
    content = bytes(range(256)) * 1000
    write_bytes(f"{s3.url}/a", content)
    store.fail([CUT, CUT, DROP], on="GET /.*/a")
    assert read_bytes(f"{s3.url}/a") == content
    assert store.planned() == 0


def test_a_raw_source_that_breaks_off_is_read_on(s3, store):
    content = bytes(range(256)) * 100
    write_bytes(f"{s3.url}/a.bin", content)
    store.fail([CUT, 503, DROP, CUT], on="GET /.*/a.bin")
    with open_source(source_path(f"{s3.url}/a.bin")) as file:
        assert file.read(-1) == content
    assert store.planned() == 0


def test_a_write_whose_answer_was_lost_is_written_once_more(s3, store):
    store.fail([LOSE_ANSWER], on="PUT")
    write_bytes(f"{s3.url}/a", b"1")
    assert read_bytes(f"{s3.url}/a") == b"1"


def test_a_silent_store_is_asked_again(s3, store, monkeypatch):
    store.hang_seconds = 4
    store.fail([HANG, HANG], on="PUT")
    fs = S3Store(config_kwargs={"read_timeout": 1}, skip_instance_cache=True)
    fs.pipe_file(f"{s3.bucket}/a", b"1")
    assert fs.cat_file(f"{s3.bucket}/a") == b"1"


def test_a_large_file_rides_out_an_unwell_store(s3, store, tmp_path):
    with atomic_writer(f"{s3.url}/large") as file:
        file.write(bytes(101 << 20))
        store.fail(UNWELL, on="PUT .*partNumber")
        store.fail([503, DROP], on="POST .*uploads")
        store.fail([503], on="POST .*uploadId")
    assert store.planned() == 0
    assert s3.fs.info(f"{s3.bucket}/large")["size"] == 101 << 20


@pytest.mark.parametrize("fault", [503, 500, DROP])
def test_a_store_that_stays_unwell_is_one_message_and_nothing_is_lost(
    s3, store, monkeypatch, fault
):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    _forget_clients()
    write_bytes(f"{s3.url}/a", b"before")
    store.fail([fault] * 99, on="PUT")
    with pytest.raises(StageError, match=rf"writing {s3.url}/a failed: the store .*; run the same"):
        write_bytes(f"{s3.url}/a", b"after")
    store.heal()
    assert read_bytes(f"{s3.url}/a") == b"before"


def test_a_source_that_stays_unreadable_is_no_defect_of_the_file(s3, store, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    _forget_clients()
    write_bytes(f"{s3.url}/a.bin", b"x")
    file = open_source(source_path(f"{s3.url}/a.bin"))
    store.fail([503] * 99, on="GET")
    with pytest.raises(StageError, match=r"reading a\.bin failed: the store answered SlowDown"):
        file.read(1)
    store.heal()


def test_a_refusal_is_not_tried_again(s3, store):
    with pytest.raises(UsageError, match="there is no such bucket"):
        write_bytes("s3://no-such-bucket-anywhere/a", b"")
    assert len([request for request in store.requests if "no-such-bucket" in request]) == 1


def test_a_name_that_no_host_has_is_not_tried_again(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://no-such-host.invalid")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    _forget_clients()
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"no host has the name in http://no-such-host\.invalid"):
        write_bytes("s3://bucket/a", b"")
    assert time.monotonic() - began < 20
    _forget_clients()


def test_tries_go_on_for_more_than_a_minute():
    """The pauses are those of s3fs, as its own loop computes them."""
    pauses = [min(1.7**i * 0.1, 15) for i in range(TRIES - 1)]
    assert 60 < sum(pauses) < 90
    assert S3Store(skip_instance_cache=True).retries == TRIES


def test_a_number_of_tries_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    with pytest.raises(ConfigError, match="AWS_MAX_ATTEMPTS is 'many'"):
        resolve("s3://bucket/other")
