"""Prepare with its sources and its windows in an object store."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import prepare
from jepa_ray.synth import synthesize
from tests.cluster.raylets import start_raylets

pytestmark = pytest.mark.s3
NAMES = ("calendar_ics_thunderbird", "enron_maildir", "gharchive", "public_jira")
RECORDS = 150


def run(s3, *args, **environment):
    return subprocess.run(
        [sys.executable, "-m", "jepa_ray", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=os.environ | s3.environment | environment,
    )


def prepare_command(s3, root="raw", names=NAMES):
    return (
        "prepare", "--dataset", ",".join(names), "--data-root", f"{s3.url}/{root}",
        "--processed-dir", f"{s3.url}/processed", "--reports-dir", f"{s3.url}/reports",
        "--run-id", "a", "--json", "--set", "num_cpus=2",
    )  # fmt: skip


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for name in NAMES:
        synthesize(name, root, seed=1, records=RECORDS)
    return root


def windows(manifest, read):
    tables = [pq.read_table(read(part["name"])) for part in manifest["parts"]]
    rows = [row for table in tables for row in table.to_pylist()]
    return sorted(rows, key=lambda row: row["window_uid"])


@pytest.mark.ray
def test_sources_and_windows_in_a_bucket_are_those_of_a_disk(s3, raw, tmp_path, ray_session):
    s3.upload(raw, "raw")
    found = run(s3, *prepare_command(s3))
    assert found.returncode == 0, found.stderr
    local = prepare(
        list(NAMES), data_root=raw, processed_dir=str(tmp_path), reports_dir=str(tmp_path / "r"),
        run_id="a", config=PrepareConfig(),
    )  # fmt: skip
    for name in NAMES:
        folder = f"{s3.bucket}/processed/{name}"
        there = json.loads(s3.fs.cat_file(f"{folder}/manifest.json"))
        here = local.manifests[name]
        assert there["records"] == here["records"] == RECORDS
        assert windows(there, lambda n, f=folder: s3.fs.open(f"{f}/windows/{n}")) == windows(
            here, lambda n, d=name: tmp_path / d / "windows" / n
        )
    assert f"{s3.bucket}/reports/a.json" in s3.contents()

    before = s3.contents()
    again = run(s3, *prepare_command(s3))
    assert "starting Ray" not in again.stderr
    assert all(m["unchanged"] for m in json.loads(again.stdout)["datasets"].values())
    assert s3.contents() == before
    text = b"".join(before.values()).decode("latin-1") + found.stdout + found.stderr
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in text


def test_new_files_beside_old_ones_are_prepared_alone(s3, tmp_path):
    for number in (1, 2):
        synthesize("public_jira", tmp_path / str(number), seed=number, records=40)
        (file,) = (tmp_path / str(number)).rglob("*.gz")
        s3.fs.put_file(str(file), f"{s3.bucket}/raw/public_jira/{number}.jsonl.gz")
        found = run(s3, *prepare_command(s3, names=("public_jira",)))
        assert found.returncode == 0, found.stderr
        manifest = json.loads(found.stdout)["datasets"]["public_jira"]
        assert (manifest["status"], manifest["records"]) == ("completed", 40 * number)
    assert "1 of 2 shards were finished before" in found.stderr


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_without_a_shared_disk_loses_a_node_and_nothing_else(s3, tmp_path, ray_session):
    names = ("enron_maildir", "gharchive")
    for name in names:
        synthesize(name, tmp_path / "raw", seed=1, records=6000)
    s3.upload(tmp_path / "raw", "raw")
    with start_raylets(s3.environment) as cluster:
        process = subprocess.Popen(
            [sys.executable, "-m", "jepa_ray", *prepare_command(s3, names=names),
             "--set", "raw_block_bytes=262144"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | s3.environment | {"RAY_ADDRESS": cluster.address},
        )  # fmt: skip
        while not any("/windows/part-" in key for key in s3.contents()):
            time.sleep(0.1)
        cluster.kill_node()
        _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    s3.fs.invalidate_cache()
    local = prepare(
        list(names), data_root=tmp_path / "raw", processed_dir=str(tmp_path / "p"),
        reports_dir=str(tmp_path / "r"), run_id="a", config=PrepareConfig(),
    )  # fmt: skip
    for name in names:
        folder = f"{s3.bucket}/processed/{name}"
        there = json.loads(s3.fs.cat_file(f"{folder}/manifest.json"))
        assert windows(there, lambda n, f=folder: s3.fs.open(f"{f}/windows/{n}")) == windows(
            local.manifests[name], lambda n, d=name: tmp_path / "p" / d / "windows" / n
        )


@pytest.mark.parametrize("where", ["--data-root", "--processed-dir", "--reports-dir"])
def test_a_bucket_that_is_not_there_is_named(s3, raw, tmp_path, where):
    command = {
        "--data-root": raw, "--processed-dir": tmp_path / "p", "--reports-dir": tmp_path / "r",
    } | {where: "s3://no-such-bucket-anywhere/x"}  # fmt: skip
    args = [part for pair in command.items() for part in pair]
    found = run(s3, "prepare", "--dataset", "public_jira", "--run-id", "a", *args)
    assert found.returncode == 2
    assert "s3://no-such-bucket-anywhere/x" in found.stderr
    assert "Traceback" not in found.stderr


def test_missing_credentials_are_one_message(s3, tmp_path):
    nobody = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    nobody |= {"HOME": str(tmp_path), "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""}
    found = run(s3, *prepare_command(s3), **nobody)
    assert found.returncode == 2
    assert "credentials" in found.stderr
    assert s3.url in found.stderr
    assert "Traceback" not in found.stderr


def test_a_server_that_is_not_there_is_one_message(s3):
    found = run(
        s3, *prepare_command(s3), AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"
    )
    assert found.returncode == 2
    assert "cannot be reached" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_scheme_that_nothing_knows_is_one_message(command, tmp_path):
    found = command(
        "prepare", "--dataset", "all", "--data-root", "nope://x", "--processed-dir", tmp_path,
        "--reports-dir", tmp_path, "--run-id", "a",
    )  # fmt: skip
    assert found.code == 2
    assert "nope://x cannot be opened" in found.err
