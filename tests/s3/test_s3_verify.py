"""verify of a run in an object store, trained on windows in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.confirm.made_run import made_runs
from tests.prepared_corpus import JIRA

pytestmark = [pytest.mark.s3, pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


def test_a_run_in_a_bucket_is_verified_and_a_missing_checkpoint_is_found(s3, tmp_path_factory):
    made = made_runs(tmp_path_factory.getbasetemp())
    s3.upload(made.sequential, "runs/a")
    s3.upload(Path(made.processed), "p")

    def verify():
        command = ["-m", "jepa_ray", "verify", f"{s3.url}/runs/a", "--processed-dir", f"{s3.url}/p"]
        return subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, check=False, timeout=240,
            env=os.environ | s3.environment,
        )  # fmt: skip

    found = verify()
    assert found.returncode == 0, found.stdout + found.stderr
    s3.fs.rm_file(f"{s3.bucket}/runs/a/pass02/{JIRA}/schedule_jepa.pt")
    found = verify()
    assert found.returncode == 1
    assert f"FAILED  pass02  checkpoints: missing: {JIRA}" in found.stdout
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in found.stdout + found.stderr
