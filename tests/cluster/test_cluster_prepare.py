"""Prepare on a cluster of three raylets that loses one, a worker, or its driver."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from jepa_ray.synth import synthesize

pytestmark = [pytest.mark.ray, pytest.mark.slow]
NAMES = ("enron_maildir", "gharchive")
RECORDS = 12_000
_SMALL_BLOCKS = ("--set", "raw_block_bytes=262144")


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for name in NAMES:
        synthesize(name, root, seed=1, records=RECORDS)
    return root


def start(raw: Path, out: Path, address: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "jepa_ray", "prepare", "--dataset", ",".join(NAMES),
         "--data-root", raw, "--processed-dir", out / "p", "--reports-dir", out / "r",
         "--run-id", "a", "--json", *_SMALL_BLOCKS],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"RAY_ADDRESS": address},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[dict, str]:
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, out + err
    return json.loads(out)["datasets"], err


def windows(out: Path, name: str) -> list[dict]:
    folder = out / "p" / name
    manifest = json.loads((folder / "manifest.json").read_text())
    rows = [
        row
        for part in manifest["parts"]
        for row in pq.read_table(folder / "windows" / part["name"]).to_pylist()
    ]
    return sorted(rows, key=lambda row: (row["window_uid"], row["source_id"]))


def wait_for_parts(out: Path, parts: int) -> None:
    """Until the work is in full swing."""
    for _ in range(1200):
        if len(list((out / "p").glob("*/windows/part-*"))) >= parts:
            return
        time.sleep(0.05)
    raise TimeoutError("no parts appear")


@pytest.fixture(scope="module")
def calm(raw, tmp_path_factory) -> Path:
    """The undisturbed run, on a local Ray."""
    out = tmp_path_factory.mktemp("calm")
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    subprocess.run(
        [sys.executable, "-m", "jepa_ray", "prepare", "--dataset", ",".join(NAMES),
         "--data-root", raw, "--processed-dir", out / "p", "--reports-dir", out / "r",
         "--run-id", "a", "--set", "num_cpus=2"],
        check=True, capture_output=True, env=environment, timeout=280,
    )  # fmt: skip
    return out


def same(a: Path, b: Path) -> bool:
    return all(windows(a, name) == windows(b, name) != [] for name in NAMES)


def test_a_raylet_that_is_killed_in_the_middle_changes_nothing(raw, calm, tmp_path, raylets):
    process = start(raw, tmp_path, raylets.address)
    wait_for_parts(tmp_path, 2)
    raylets.kill_node()
    manifests, _ = finish(process)
    assert all(m["records"] == RECORDS for m in manifests.values())
    assert same(tmp_path, calm)


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(raw, calm, tmp_path, raylets):
    process = start(raw, tmp_path, raylets.address)
    wait_for_parts(tmp_path, 2)
    tasks = [p for p in psutil.process_iter(["name"]) if _is_task(p, raylets.process.pid)]
    assert tasks
    tasks[0].kill()
    manifests, _ = finish(process)
    assert all(m["records"] == RECORDS for m in manifests.values())
    assert same(tmp_path, calm)


def _is_task(process: psutil.Process, cluster: int) -> bool:
    """Whether a process is at work on a task of Ray Data below our own cluster."""
    try:
        title = " ".join(process.cmdline())
        below = any(parent.pid == cluster for parent in process.parents())
    except psutil.Error:
        return False
    return below and title.startswith(("ray::Read", "ray::MapBatches"))


def test_a_driver_that_is_killed_goes_on_from_the_finished_shards(raw, calm, tmp_path, raylets):
    process = start(raw, tmp_path, raylets.address)
    wait_for_parts(tmp_path, 4)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert not list((tmp_path / "p").glob("gharchive/manifest.json"))
    manifests, _ = finish(start(raw, tmp_path, raylets.address))
    assert all(m["records"] == RECORDS for m in manifests.values())
    assert same(tmp_path, calm)
    for name in NAMES:
        left = {p.name for p in (tmp_path / "p" / name / "windows").iterdir()}
        assert left == {p.name for p in (tmp_path / "p" / name / "windows").glob("part-*")}


def test_the_counters_of_a_run_reach_prometheus(raw, tmp_path, raylets):
    process = start(raw, tmp_path, raylets.address)
    seen = 0.0
    while process.poll() is None:  # the counters go with the driver
        found = re.findall(
            r'^ray_jepa_ray_records_total\{.*dataset="(\w+)".*outcome="window".* (\S+)$',
            raylets.metrics(),
            re.MULTILINE,
        )
        seen = max([seen, *(float(value) for name, value in found if name == "enron_maildir")])
        time.sleep(0.2)
    finish(process)
    assert 0 < seen <= RECORDS
