"""A disk that is full on the way: one message, and with room again the same command completes."""

import json
import os
import subprocess
import sys

import pytest

from tests.chaos.disks import mounted
from tests.chaos.faults import require_a_clear_failure
from tests.chaos.undisturbed import NAMES, confirm_command, prepare_command, rows, weights
from tests.confirm.without_ray import numbers
from tests.hosts_here import require_hosts

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def disk(tmp_path):
    """8 MB, of which almost nothing is free."""
    require_hosts()  # who may make hosts may mount
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted(folder, megabytes=8) as found:
        found.fill(but=200_000)
        yield found


def run(*args: object) -> tuple[int, str, str]:
    """On a local Ray."""
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    found = subprocess.run(
        [sys.executable, "-m", "jepa_ray", *map(str, args)],
        capture_output=True, text=True, check=False, timeout=280, env=environment,
    )  # fmt: skip
    return found.returncode, found.stdout, found.stderr


def fails_then_ends(disk, record, *args: object) -> str:
    """Stdout of the command once there is room, after it has failed without."""
    code, _, err = run(*args)
    require_a_clear_failure(code, err)
    assert "No space left on device" in err
    assert str(disk.folder) in err or "run again to go on" in err
    disk.clear()
    code, out, again = run(*args)
    assert code == 0, again
    record(f"completed by the same command; before: {err.strip().splitlines()[-1]}")
    return out


def test_prepare_into_it(disk, raw, calm_windows, record):
    out = fails_then_ends(disk, record, *prepare_command(raw, disk.folder))
    folder = disk.folder / "p"
    manifests = {n: json.loads((folder / n / "manifest.json").read_text()) for n in NAMES}
    assert rows(manifests, lambda name, part: folder / name / "windows" / part) == calm_windows
    assert json.loads(out)["datasets"].keys() == set(NAMES)


def test_confirm_into_it(disk, processed, calm_passes, record):
    out = fails_then_ends(disk, record, *confirm_command(processed, disk.folder))
    assert numbers(json.loads(out)) == calm_passes[0]
    assert weights(disk.folder / "a") == calm_passes[1]
