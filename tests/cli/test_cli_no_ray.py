"""A Ray that does not start, or cannot be joined: one message, and nothing is left behind."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from jepa_ray import cluster
from tests.confirm.runs import corpus, flags

_LONG = "x" * 90  # Ray's sockets have room for 107 characters, path and all


def jepa_ray(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jepa_ray", *map(str, args)],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> str:
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def asked(verb: str, processed: str, storage: Path) -> list[object]:
    begin = [verb, "--processed-dir", processed, "--storage-path", storage]
    tiny = flags() if verb == "confirm" else ["--set=steps=4", "--set=batch_size=8"]
    return [*begin, *tiny, *([] if verb == "smoke" else ["--run-id", "a"])]


@pytest.mark.parametrize("verb", ["train", "confirm", "smoke"])
def test_no_cluster_at_the_address_is_a_mistake_and_leaves_no_run(
    verb, processed, nowhere, tmp_path
):
    found = jepa_ray(*asked(verb, processed, tmp_path / "runs"), RAY_ADDRESS=nowhere)
    assert found.returncode == 2, found.stderr
    assert f"no Ray cluster can be joined at {nowhere}" in found.stderr
    assert "unset RAY_ADDRESS" in found.stderr
    assert "Traceback" not in found.stderr
    assert not any((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize("verb", ["train", "confirm"])
def test_a_ray_that_does_not_start_is_a_failure_in_one_message(verb, processed, tmp_path):
    with tempfile.TemporaryDirectory(prefix=_LONG) as folder:
        arguments = asked(verb, processed, tmp_path / "runs")
        found = jepa_ray(*arguments, RAY_TMPDIR=folder, RAY_ADDRESS="")
    assert found.returncode == 1, found.stderr
    assert "Ray did not start on this machine: validate_socket_filename" in found.stderr
    assert "give the same command again" in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "runs" / "a").exists()


def test_an_address_of_no_form_is_a_mistake(processed, tmp_path):
    arguments = asked("train", processed, tmp_path / "runs")
    found = jepa_ray(*arguments, RAY_ADDRESS="not-an-address")
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
    assert "Invalid address format: not-an-address" in found.stderr


def test_every_other_verb_that_starts_ray_says_the_same(nowhere, tmp_path):
    synth = ["synth", "--dataset", "gharchive", "--records", 200_000, "--output", tmp_path / "raw"]
    small = ["synth", "--dataset", "ms_latte", "--records", 20, "--output", tmp_path / "raw"]
    assert jepa_ray(*small).returncode == 0
    prepare = ["prepare", "--dataset", "ms_latte", "--data-root", tmp_path / "raw"]
    prepare += ["--processed-dir", tmp_path / "p", "--reports-dir", tmp_path / "r"]
    for arguments in (synth, [*prepare, "--run-id", "a"]):
        found = jepa_ray(*arguments, RAY_ADDRESS=nowhere)
        assert found.returncode == 2, found.stderr
        assert f"no Ray cluster can be joined at {nowhere}" in found.stderr
        assert "Traceback" not in found.stderr


def test_a_start_that_takes_long_is_told(monkeypatch, caplog):
    monkeypatch.setattr(cluster, "_TOLD_EVERY", 0.05)
    caplog.set_level("INFO", "jepa_ray")
    with cluster._told_meanwhile("still starting Ray"):
        time.sleep(0.3)
    told = len(caplog.records)
    assert told >= 2
    assert caplog.records[0].message == "still starting Ray after 0 s: a busy machine takes long"
    time.sleep(0.2)
    assert len(caplog.records) == told
