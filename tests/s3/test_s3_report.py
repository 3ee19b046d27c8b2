"""The report of a training that lies in a bucket, written there too."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.s3


def report(s3, run):
    return subprocess.run(
        [sys.executable, "-m", "jepa_ray", "report", f"{s3.url}/{run}", "--json"],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | s3.environment,
    )  # fmt: skip


def test_a_report_is_read_from_a_bucket_and_written_to_it(s3, tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "val_loss": 1.05, "skill": -8.0}\n')
    s3.upload(tmp_path, "runs/a")
    found = report(s3, "runs/a")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["page"] == f"{s3.url}/runs/a/report/index.html"
    assert b"Not judged yet" in s3.contents()[f"{s3.bucket}/runs/a/report/index.html"]


def test_a_bucket_without_results_is_named(s3):
    found = report(s3, "runs/none")
    assert found.returncode == 2
    assert f"there is no folder {s3.url}/runs/none" in found.stderr
