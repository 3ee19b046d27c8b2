"""What the dashboard calls a job, its tasks and its operators."""

import json
import subprocess
import sys

import pytest

from tests.prepared_corpus import JIRA, issue_lines, write_issues
from tests.submit.heads import REPO, Head

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]
_ASK = """
import json, sys
from ray.job_submission import JobSubmissionClient
from ray.util.state import list_tasks

jobs = JobSubmissionClient(sys.argv[1]).list_jobs()
tasks = list_tasks(address=sys.argv[1], limit=1000)
print(json.dumps({"metadata": [job.metadata for job in jobs], "jobs": str(jobs),
                  "tasks": sorted({task.name for task in tasks})}))
"""


def asked(head: Head) -> dict:
    found = subprocess.run(
        [sys.executable, "-c", _ASK, head.url],
        capture_output=True, text=True, check=True, env=head.environment, cwd=REPO, timeout=120,
    )  # fmt: skip
    return json.loads(found.stdout.splitlines()[-1])


def test_a_verb_started_without_submit_has_the_same_metadata_and_readable_tasks(head, tmp_path):
    write_issues(tmp_path / "raw", issue_lines(64))
    found = head.run(
        "prepare", "--dataset", JIRA, "--data-root", tmp_path / "raw", "--run-id", "first",
        "--processed-dir", tmp_path / "p", "--reports-dir", tmp_path / "r",
        RAY_ADDRESS=head.gcs, JEPA_RAY_ACTOR_SALT="canary-salt", AWS_SECRET_ACCESS_KEY="canary-aws",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    shown = asked(head)
    assert {"verb": "prepare", "run_id": "first", "dataset": JIRA} in shown["metadata"]
    assert f"Read, parse and write {JIRA}" in " ".join(shown["tasks"])
    assert "canary" not in str(shown)
