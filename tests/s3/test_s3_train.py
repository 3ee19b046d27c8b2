"""Training from windows in an object store into an object store."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.prepared_corpus import JIRA, write_prepared

pytestmark = [pytest.mark.s3, pytest.mark.ray]

_EMBED = """
import sys
import numpy as np
import jepa_ray
print(jepa_ray.load(sys.argv[1]).embed(np.zeros((2, 96, 16), np.float32)).shape)
"""


def run(s3, *args):
    return subprocess.run(
        [sys.executable, *map(str, args)],
        capture_output=True, text=True, check=False, timeout=240,
        env=os.environ | s3.environment,
    )  # fmt: skip


def train(s3, *more):
    return run(
        s3, "-m", "jepa_ray", "train", "--processed-dir", f"{s3.url}/p", "--dataset", JIRA,
        "--storage-path", f"{s3.url}/runs", "--run-id", "a", "--steps", 6, "--json",
        "--set", "batch_size=8", "--set", "val_every=3", "--set", "val_batches=2",
        "--set", "checkpoint.keep_best=activity", *more,
    )  # fmt: skip


def test_a_run_in_a_bucket_is_resumed_loaded_and_evaluated(s3, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=64)
    s3.upload(tmp_path / "p", "p")
    first = train(s3)
    assert first.returncode == 0, first.stderr
    run_url = f"{s3.bucket}/runs/a"
    names = {key.removeprefix(f"{run_url}/") for key in s3.contents() if key.startswith(run_url)}
    assert {
        "schedule_jepa.pt", "model.safetensors", "config.yaml", "provenance.json",
        "metrics.jsonl", "best/schedule_jepa.pt", "states/step-00000006.pt",
        "states/step-00000003.pt", "tensorboard/events.out.tfevents.0.jepa_ray",
    } <= names  # fmt: skip
    assert "states/step-00000000.pt" not in names

    s3.fs.rm_file(f"{run_url}/schedule_jepa.pt")
    s3.fs.rm_file(f"{run_url}/states/step-00000006.pt")
    again = train(s3)
    assert again.returncode == 0, again.stderr
    assert "resuming the training of public_jira at step 3 of 6" in again.stderr
    assert json.loads(again.stdout)["val_loss"] == json.loads(first.stdout)["val_loss"]
    taken = train(s3)
    assert taken.returncode == 2
    assert "already holds a checkpoint" in taken.stderr

    found = run(s3, "-c", _EMBED, f"{s3.url}/runs/a/schedule_jepa.pt")
    assert found.stdout.strip() == "torch.Size([2, 64])", found.stderr
    scored = run(
        s3, "-m", "jepa_ray", "evaluate", f"{s3.url}/runs/a", "--processed-dir", f"{s3.url}/p",
        "--batches", 2, "--json",
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    assert np.isfinite(json.loads(scored.stdout)["trained"]["loss"])
    kept = json.loads(s3.contents()[f"{run_url}/evaluation.json"])
    assert kept == json.loads(scored.stdout)
    text = b"".join(s3.contents().values()).decode("latin-1") + first.stderr + again.stderr
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in text


def test_a_bucket_that_is_not_there_is_named(s3, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=64)
    found = run(
        s3, "-m", "jepa_ray", "train", "--processed-dir", tmp_path / "p", "--storage-path",
        "s3://no-such-bucket-anywhere/x", "--run-id", "a", "--steps", 2,
    )  # fmt: skip
    assert found.returncode == 2
    assert "s3://no-such-bucket-anywhere/x" in found.stderr
    assert "Traceback" not in found.stderr
