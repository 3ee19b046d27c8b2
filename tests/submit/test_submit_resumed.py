"""A confirmation that was stopped goes on by `submit --resume`, and keeps what it had."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.prepared_corpus import write_prepared
from tests.submit.heads import BIN, Head, file

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]
SMALL = {"d_model": 16, "layers": 1, "heads": 2, "mlp": 16}


def wait_for(path: Path) -> None:
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.1)
    raise TimeoutError(path)


def stop(head: Head, job: str) -> None:
    subprocess.run(
        [BIN / "ray", "job", "stop", job, "--address", head.url],
        check=True, capture_output=True, env=head.environment, timeout=120,
    )  # fmt: skip


def test_a_stopped_confirmation_goes_on_and_keeps_what_is_trained(head, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=40)
    config = file(
        tmp_path, "confirm", processed_dir=str(tmp_path / "p"), storage_path=str(tmp_path / "s"),
        run_id="two", seeds=[1, 2],
        settings={"concurrent": 1, "train": {"steps": 8, "batch_size": 8, "model": SMALL}},
    )  # fmt: skip
    begun = json.loads(head.submit("confirm", config, "--no-wait").stdout)
    run = tmp_path / "s" / "two"
    first = run / "pass01" / "combined" / "schedule_jepa.pt"
    wait_for(first)
    stop(head, begun["job"])
    kept = first.stat().st_mtime_ns
    assert not (run / "confirmation.json").exists()
    again = head.submit("confirm", config, "--resume", begun["job"])
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert told["status"] == "SUCCEEDED"
    assert told["job"] != begun["job"]
    assert first.stat().st_mtime_ns == kept
    found = json.loads((run / "confirmation.json").read_text())
    assert [each["seed"] for each in found["passes"]] == [1, 2]
    verified = head.submit("verify", file(tmp_path, "verify", run=str(run)))
    assert verified.returncode == 0, verified.stderr
    assert "checks are ok" in verified.stderr
