"""The doctor on a cluster of three raylets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_ray.cluster import ENVIRONMENT
from tests.cluster.raylets import start_raylets

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def doctor(address: str, storage: Path) -> tuple[int, dict[str, list[dict]]]:
    found = subprocess.run(
        [sys.executable, "-m", "jepa_ray", "doctor", "--address", address, "--storage", storage,
         "--json"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert found.stdout, found.stderr
    findings: dict[str, list[dict]] = {}
    for finding in json.loads(found.stdout)["findings"]:
        findings.setdefault(finding["check"], []).append(finding)
    return found.returncode, findings


@pytest.fixture(scope="module")
def cluster():
    """With our environment, and as all tests without authentication."""
    with start_raylets(os.environ | ENVIRONMENT) as raylets:
        yield raylets


def test_every_node_is_asked_and_only_what_is_wrong_fails(cluster, tmp_path):
    code, found = doctor(cluster.address, tmp_path)
    wrong = {check for check, those in found.items() if not all(f["ok"] for f in those)}
    assert wrong <= {"authentication", "free disk", "memory"}  # a small machine may be short
    assert "authentication" in wrong  # the tests' sessions have none
    assert code == 1
    assert found["nodes"][0]["said"] == "3 answer"
    assert "5 CPUs" in found["processors"][0]["said"]
    assert "on all 3 nodes" in found["version of Python"][0]["said"]
    assert list(tmp_path.iterdir()) == []


def test_a_broken_storage_is_named_for_each_node(cluster, tmp_path):
    (tmp_path / "file").write_text("")
    broken = tmp_path / "file" / "runs"
    code, found = doctor(cluster.address, broken)
    assert code == 1
    said = [finding["said"] for finding in found["storage"]]
    assert all(str(broken) in line for line in said)
    assert "from this machine" in said[0]
    assert len({line.split(":")[0] for line in said}) == 4  # this machine and three raylets
