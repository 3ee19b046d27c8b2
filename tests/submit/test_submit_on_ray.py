"""Jobs on a head of its own, with token authentication and a dashboard on loopback."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from jepa_ray.cluster import ENVIRONMENT
from tests.prepared_corpus import JIRA, issue_lines, write_issues

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]
REPO = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Head:
    """A head, and commands that reach it."""

    gcs: str
    url: str
    environment: dict[str, str]

    def run(self, *args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "jepa_ray", *map(str, args)],
            capture_output=True, text=True, check=False, timeout=500, cwd=REPO,
            env=self.environment | environment,
        )  # fmt: skip

    def submit(self, *args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("submit", *args, "--address", self.url, "--json", **environment)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture(scope="module")
def head():
    folder = tempfile.mkdtemp(prefix="jrh", dir="/tmp")
    token = Path(folder) / "token"
    token.write_text(secrets.token_hex(16))
    token.chmod(0o600)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    environment = inherited | ENVIRONMENT | {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONPATH": str(REPO),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }  # fmt: skip
    gcs, dashboard, client, agent = free_ports(4)
    process = subprocess.Popen(
        [BIN / "ray", "start", "--head", "--block",
         f"--port={gcs}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
         f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}",
         "--num-cpus=2", f"--temp-dir={folder}/r",
         f"--object-store-memory={200 << 20}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        wait_for(dashboard)
        yield Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"no dashboard on port {port}")


def file(folder: Path, verb: str, **document: object) -> Path:
    path = folder / "job" / f"{verb}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_job_runs_to_its_end_and_its_log_comes_back(head, tmp_path):
    write_issues(tmp_path / "raw", issue_lines(64))
    config = file(
        tmp_path, "prepare", dataset=JIRA, data_root=str(tmp_path / "raw"), run_id="first",
        processed_dir=str(tmp_path / "p"), reports_dir=str(tmp_path / "r"),
    )  # fmt: skip
    found = head.submit("prepare", config)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["status"], told["exit_code"]) == ("SUCCEEDED", 0)
    assert told["job"].startswith("prepare-first-")
    assert "prepare first" in found.stderr  # the job's own table
    assert json.loads((tmp_path / "p" / JIRA / "manifest.json").read_text())["windows"] == 64
    again = head.submit("prepare", config, "--resume", told["job"])
    assert json.loads(again.stdout)["job"] == told["job"]  # it succeeded: nothing is sent


def test_a_job_that_fails_hands_its_exit_code_back_and_can_be_resumed(head, tmp_path):
    config = file(
        tmp_path, "evaluate", checkpoint=str(tmp_path / "none"), processed_dir=str(tmp_path)
    )
    found = head.submit("evaluate", config)
    assert found.returncode == 2, found.stderr
    assert "no checkpoint at" in found.stderr
    told = json.loads(found.stdout)
    assert told["status"] == "FAILED"
    again = head.submit("evaluate", config, "--resume", told["job"])
    assert again.returncode == 2
    assert json.loads(again.stdout)["job"] != told["job"]


def test_a_job_of_another_verb_is_not_resumed(head, tmp_path):
    config = file(
        tmp_path, "evaluate", checkpoint=str(tmp_path / "none"), processed_dir=str(tmp_path)
    )
    found = head.submit("evaluate", config, "--resume", "prepare-none")
    assert found.returncode == 2
    assert "no job 'prepare-none'" in found.stderr


def test_another_token_is_refused_with_a_word_on_where_it_belongs(head, tmp_path):
    config = file(tmp_path, "evaluate", checkpoint="/none", processed_dir="/none")
    found = head.submit("evaluate", config, RAY_AUTH_TOKEN="canary-of-another-cluster")
    assert found.returncode == 2
    assert "auth_token" in found.stderr
    assert "canary" not in found.stderr
    assert "Traceback" not in found.stderr


def test_the_doctor_passes_on_it(head, tmp_path):
    found = head.run("doctor", "--address", head.gcs, "--storage", tmp_path)
    lines = found.stdout.splitlines()
    wrong = [line for line in lines if line.startswith("FAIL")]
    assert all(line.startswith(("FAIL free disk", "FAIL memory")) for line in wrong), found.stdout
    assert "ok   authentication: on, by token" in lines
