"""One variable names the store, for all that opens it: here, in workers, in Ray's own storage."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow.fs import FSSpecHandler, PyFileSystem

from jepa_ray.storage import read_bytes, resolve, source_path, write_bytes
from jepa_ray.storage.s3 import TRIES, S3Store
from tests.s3.conftest import forget_clients

pytestmark = pytest.mark.s3
_LIFECYCLE = Path(__file__).resolve().parent.parent.parent / "deploy" / "s3-lifecycle.json"
_READ = """
import sys
from jepa_ray.storage import read_bytes
print(read_bytes(sys.argv[1]).decode())
"""
_PICKLED = """
import pickle, sys
fs = pickle.load(sys.stdin.buffer)
with fs.open_input_stream(sys.argv[1]) as file:
    print(file.read().decode())
print(type(fs.handler.fs).__name__, fs.handler.fs.retries)
"""


def elsewhere(code, *args, environment, data=b""):
    """What another process prints."""
    found = subprocess.run(
        [sys.executable, "-c", code, *args], input=data, capture_output=True, check=True,
        env=os.environ | environment,
    )  # fmt: skip
    return found.stdout.decode().split()


def test_the_bucket_stands_in_the_path_where_the_endpoint_has_a_name(s3, store, monkeypatch):
    """A store of one's own rarely has a name for each bucket."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.endpoint.replace("127.0.0.1", "localhost"))
    forget_clients()
    write_bytes(f"{s3.url}/a/b", b"1")
    assert store.requests[-1] == f"PUT /{s3.bucket}/a/b"


def test_the_bucket_stands_in_the_name_where_that_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "config").write_text("[default]\ns3 =\n    addressing_style = virtual\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example:9000")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    forget_clients()
    fs, path = resolve("s3://bucket/a")
    assert fs.sign(path).startswith("http://bucket.store.example:9000/a?")
    forget_clients()


def test_the_variable_of_s3_alone_comes_first(s3, store):
    write_bytes(f"{s3.url}/a", b"found")
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_S3": store.endpoint}
    assert elsewhere(_READ, f"{s3.url}/a", environment=environment) == ["found"]


def test_settings_of_fsspec_are_taken_beside_ours(s3, store):
    write_bytes(f"{s3.url}/a", b"found")
    settings = {"endpoint_url": store.endpoint, "config_kwargs": {"read_timeout": 7}}
    code = _READ + (
        "from jepa_ray.storage import resolve\n"
        "kept = resolve(sys.argv[1])[0].config_kwargs\n"
        "print(kept['read_timeout'], kept['connect_timeout'], kept['retries']['mode'])\n"
    )
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "FSSPEC_S3": json.dumps(settings)}
    said = elsewhere(code, f"{s3.url}/a", environment=environment)
    assert said == ["found", "7", "5", "standard"]


def test_what_ray_train_sends_to_its_workers_has_our_patience_there(s3, store):
    write_bytes(f"{s3.url}/a", b"found")
    fs, path = resolve(f"{s3.url}/a")
    store.fail([503, 503], on="GET")
    store.fail([503, 503], on="HEAD")
    data = pickle.dumps(PyFileSystem(FSSpecHandler(fs)))
    said = elsewhere(_PICKLED, path, environment={}, data=data)
    assert said == ["found", "S3Store", str(TRIES)]
    assert store.planned() == 0
    assert b"canary" not in data


def test_path_objects_are_opened_by_the_same_client(s3, store):
    assert isinstance(source_path(f"{s3.url}/raw").fs, S3Store)


@pytest.mark.ray
def test_a_task_of_ray_reaches_the_store_by_its_environment(s3, store, ray_session):
    import ray

    write_bytes(f"{s3.url}/a", b"found")
    store.fail([503, 500], on="GET")
    task = ray.remote(num_cpus=1, runtime_env={"env_vars": s3.environment})(read_bytes)
    assert ray.get(task.remote(f"{s3.url}/a")) == b"found"
    assert store.planned() == 0


def test_the_rule_that_we_ship_removes_unfinished_uploads(s3):
    rule = json.loads(_LIFECYCLE.read_text())
    s3.fs.call_s3(
        "put_bucket_lifecycle_configuration", Bucket=s3.bucket, LifecycleConfiguration=rule
    )
    found = s3.fs.call_s3("get_bucket_lifecycle_configuration", Bucket=s3.bucket)
    (rule,) = found["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
