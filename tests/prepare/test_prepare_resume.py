"""What a run that is repeated takes over: finished shards, whatever ended the run before."""

import gzip
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_ray.synth import synthesize
from tests.prepare.stage_runs import RECORDS, bad_jira, run, uids

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]
_KILLED = """
import os, signal, sys, threading
from pathlib import Path
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import marking, prepare

marked, one_at_a_time = [], threading.Lock()
def mark(plan, place, whole, nodes, real=marking._mark):
    with one_at_a_time:
        real(plan, place, whole, nodes)
        marked.append(place)
        if len(marked) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
marking._mark = mark
raw, out, size = sys.argv[1:]
config = PrepareConfig(num_cpus=2, raw_block_bytes=int(size))
prepare(["gharchive"], data_root=Path(raw), processed_dir=out + "/p", reports_dir=out + "/r",
        run_id="a", config=config)
"""


def many_hours(root: Path, hours: int) -> list[Path]:
    """Hours of GH Archive that are large enough to be a shard each (they are padded)."""
    folder = root / "gharchive"
    for hour in range(len(list(folder.glob("*"))), hours):
        synthesize("gharchive", root / "tmp", seed=hour, records=RECORDS)
        data = b"".join(gzip.decompress(p.read_bytes()) for p in (root / "tmp").rglob("*.gz"))
        shutil.rmtree(root / "tmp")
        folder.mkdir(exist_ok=True)
        with gzip.GzipFile(folder / f"2015-01-01-{hour}.json.gz", "wb", mtime=0) as file:
            file.write(data)
        padding = gzip.compress(b"", 0, mtime=0) * (4 << 20 >> 4)
        with (folder / f"2015-01-01-{hour}.json.gz").open("ab") as raw:
            raw.write(padding)
    return sorted(folder.iterdir())


def test_a_new_hour_among_old_ones_is_prepared_alone(tmp_path, caplog):
    caplog.set_level("INFO")
    hours = many_hours(tmp_path / "raw", 3)
    run(tmp_path / "raw", tmp_path, names=["gharchive"])
    before = uids(tmp_path, "gharchive")
    folder = tmp_path / "p" / "gharchive"
    times = {p.name: p.stat().st_mtime_ns for p in (folder / "windows").iterdir()}
    many_hours(tmp_path / "raw", 4)
    manifest = run(tmp_path / "raw", tmp_path, names=["gharchive"]).manifests["gharchive"]
    assert "3 of 4 shards were finished before" in caplog.text
    assert (manifest["records"], len(manifest["sources"])) == (4 * RECORDS, 4)
    assert set(before) < set(uids(tmp_path, "gharchive"))
    now = {p.name: p.stat().st_mtime_ns for p in (folder / "windows").iterdir()}
    assert times.items() < now.items()
    hours[0].unlink()
    assert (
        run(tmp_path / "raw", tmp_path, names=["gharchive"]).manifests["gharchive"]["windows"]
        == 3 * RECORDS
    )
    assert len(list((folder / "shards").iterdir())) == 3


def test_a_damaged_marker_costs_its_shard_only(tmp_path, caplog):
    many_hours(tmp_path / "raw", 3)
    run(tmp_path / "raw", tmp_path, names=["gharchive"])
    before = uids(tmp_path, "gharchive")
    folder = tmp_path / "p" / "gharchive"
    marker, *_ = sorted((folder / "shards").iterdir())
    marker.write_bytes(marker.read_bytes()[:-9])
    (folder / "manifest.json").unlink()
    caplog.set_level("INFO")
    run(tmp_path / "raw", tmp_path, names=["gharchive"])
    assert "is damaged: its shard is prepared again" in caplog.text
    assert "2 of 3 shards were finished before" in caplog.text
    assert uids(tmp_path, "gharchive") == before


@pytest.mark.parametrize("bytes_", [4096, 1 << 20])
def test_a_killed_driver_loses_only_the_shards_on_their_way(tmp_path, caplog, bytes_):
    many_hours(tmp_path / "raw", 6)
    run(tmp_path / "raw", tmp_path / "calm", names=["gharchive"], raw_block_bytes=bytes_)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, tmp_path / "raw", tmp_path / "killed", str(bytes_)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder = tmp_path / "killed" / "p" / "gharchive"
    assert not (folder / "manifest.json").exists()
    caplog.set_level("INFO")
    manifest = run(
        tmp_path / "raw", tmp_path / "killed", names=["gharchive"], raw_block_bytes=bytes_
    ).manifests["gharchive"]
    assert "gharchive: 2 of 6 shards were finished before" in caplog.text
    assert manifest["records"] == 6 * RECORDS
    assert uids(tmp_path / "killed", "gharchive") == uids(tmp_path / "calm", "gharchive")
    assert {p.name for p in (folder / "windows").iterdir()} == {
        p["name"] for p in manifest["parts"]
    }


def test_a_failed_dataset_that_is_allowed_more_bad_records_needs_no_work(tmp_path):
    bad_jira(tmp_path / "raw", good=50, bad=50)
    assert run(tmp_path / "raw", tmp_path, names=["public_jira"]).failed
    folder = tmp_path / "p" / "public_jira" / "windows"
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    result = run(tmp_path / "raw", tmp_path, names=["public_jira"], max_bad_fraction=0.5)
    assert result.manifests["public_jira"]["status"] == "completed"
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before
