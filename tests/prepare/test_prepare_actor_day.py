"""`actor_day` windowing on a real Ray: the same windows however it is cut, and its accounts."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig, SplitConfig
from jepa_ray.corpus import choose, load
from jepa_ray.errors import StageError
from jepa_ray.prepare import actor_day, datasource
from jepa_ray.prepare.actor_day import Gathered, partition_count
from jepa_ray.prepare.block import BlockReport
from jepa_ray.prepare.day_rows import (
    DAY_SCHEMA,
    BlockSent,
    DayWriter,
    PartitionReport,
    write_partitions,
)
from jepa_ray.readers import RawItem
from jepa_ray.report.prepared import read_window
from jepa_ray.synth import synthesize
from jepa_ray.windows import mix64
from tests.prepare.stage_runs import RECORDS, bad_jira, run, uids

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]
DATASETS = ("gharchive", "enron_maildir", "public_jira", "calendar_ics_thunderbird", "enron_snap")
_KILLED = """
import os, signal, sys
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import actor_day, prepare

def die(*args, real=actor_day.Gathered.add):
    os.kill(os.getpid(), signal.SIGKILL)
actor_day.Gathered.add = die
raw, out = sys.argv[1:]
prepare(["enron_maildir"], data_root=raw, processed_dir=out + "/p", reports_dir=out + "/r",
        run_id="a", config=PrepareConfig(windowing="actor_day", num_cpus=2, actor_day_partitions=3))
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for dataset in DATASETS:
        synthesize(dataset, root, seed=1, records=RECORDS)
    return root


@pytest.fixture(scope="module")
def done(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, days(raw, out, DATASETS)


def days(raw, out, names, **settings):
    return run(raw, out, names, windowing="actor_day", **settings)


def table(out: Path, dataset: str) -> pa.Table:
    """All windows by uid, but for where they lie."""
    folder = out / "p" / dataset
    manifest = json.loads((folder / "manifest.json").read_text())
    parts = [pq.read_table(folder / "windows" / p["name"]) for p in manifest["parts"]]
    return pa.concat_tables(parts).sort_by("window_uid")


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_record_is_activity_or_accounted_for(done, dataset):
    m = done[1].manifests[f"{dataset}_actor_day"]
    lost = sum(m["skipped"].values()) + sum(m["quarantined"].values())
    assert m["records"] == RECORDS == sum(s["records"] for s in m["sources"])
    assert m["records"] == m["activities"] - m["expanded"] + lost
    assert (m["status"], m["windowing"]) == ("completed", "actor_day")


def test_records_without_a_date_are_skipped_by_name(done):
    m = done[1].manifests["enron_snap_actor_day"]
    assert (m["skipped"], m["activities"], m["windows"]) == ({"no_date": RECORDS}, 0, 0)


def test_a_window_is_an_actor_and_a_day(done):
    found = table(done[0], "enron_maildir_actor_day")
    assert len(found) < RECORDS
    assert len(set(found["source_id"].to_pylist())) == len(found)
    assert set(found["window_kind"].to_pylist()) == {"actor_day"}
    counts = [json.loads(m)["activities"] for m in found["metadata"].to_pylist()]
    assert sum(counts) == RECORDS
    assert not any(t.hour or t.minute for t in found["window_start"].to_pylist())


def test_any_block_size_and_any_number_of_partitions_give_the_same_windows(
    done, raw, tmp_path, monkeypatch
):
    monkeypatch.setattr(datasource, "_LITTLE_BYTES", 0)
    days(raw, tmp_path, DATASETS[:3], raw_block_bytes=8192, actor_day_partitions=5)
    for dataset in DATASETS[:3]:
        name = f"{dataset}_actor_day"
        assert table(tmp_path, name).equals(table(done[0], name))
        whose = pc.coalesce(table(done[0], name)["actor"], table(done[0], name)["project"])
        partitions = {int(place) for place in mix64(whose.to_numpy()) % np.uint64(5)}
        assert len(partitions) > 1
        assert len(list((tmp_path / "p" / name / "windows").iterdir())) == len(partitions)


def test_the_same_input_again_is_a_no_op(done, raw):
    before = {p: p.stat().st_mtime_ns for p in (done[0] / "p").rglob("*") if p.is_file()}
    again = days(raw, done[0], DATASETS, actor_day_partitions=7)
    assert all(m["unchanged"] for m in again.manifests.values())
    assert before == {p: p.stat().st_mtime_ns for p in (done[0] / "p").rglob("*") if p.is_file()}


def test_a_killed_driver_leaves_nothing_visible_and_the_next_run_is_whole(done, raw, tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, raw, tmp_path],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder = tmp_path / "p" / "enron_maildir_actor_day"
    assert not (folder / "manifest.json").exists()
    manifest = days(raw, tmp_path, ["enron_maildir"]).manifests["enron_maildir_actor_day"]
    name = "enron_maildir_actor_day"
    assert table(tmp_path, name).equals(table(done[0], name))
    assert {p.name for p in (folder / "windows").iterdir()} == {
        p["name"] for p in manifest["parts"]
    }


def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(done, raw, tmp_path, monkeypatch):
    real = actor_day.combine_and_write
    flag = str(tmp_path / "died")

    def die_once(batch, days):
        if not Path(flag).exists():
            Path(flag).write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        yield from real(batch, days)

    monkeypatch.setattr(actor_day, "combine_and_write", die_once)
    days(raw, tmp_path, ["gharchive"], actor_day_partitions=3)
    assert Path(flag).exists()
    name = "gharchive_actor_day"
    assert table(tmp_path, name).equals(table(done[0], name))


def test_both_windowings_stand_side_by_side_and_train_on_what_was_asked_for(done, raw, tmp_path):
    days(raw, tmp_path, ["gharchive"])
    run(raw, tmp_path, ["gharchive"])
    processed = str(tmp_path / "p")
    assert not set(uids(tmp_path, "gharchive")) & set(uids(tmp_path, "gharchive_actor_day"))
    assert choose(processed, "combined") == ["gharchive"]
    assert choose(processed, "gharchive_actor_day") == ["gharchive_actor_day"]
    (dataset,) = load(processed, ["gharchive_actor_day"], SplitConfig(mode="grouped")).datasets
    assert len(dataset.train) > len(dataset.val) > 0


def test_only_days_there_are_combined(done):
    assert choose(str(done[0] / "p"), "combined") == [
        f"{name}_actor_day" for name in sorted(DATASETS) if name != "enron_snap"
    ]


def test_the_card_and_the_first_window_can_be_read(done):
    folder = done[0] / "p" / "gharchive_actor_day"
    card = (folder / "README.md").read_text()
    assert "# gharchive_actor_day" in card
    assert f"| activities | {RECORDS:,} |" in card
    assert read_window(str(folder)).dense.shape == (96, 16)


def test_too_many_bad_records_fail_the_dataset_and_leave_its_quarantine(tmp_path):
    bad_jira(tmp_path / "raw", good=50, bad=50)
    result = days(tmp_path / "raw", tmp_path, ["public_jira"])
    manifest = result.manifests["public_jira_actor_day"]
    assert "malformed_line: 50" in manifest["reason"]
    assert (manifest["activities"], manifest["parts"]) == (0, [])  # nobody and no project
    folder = tmp_path / "p" / "public_jira_actor_day"
    assert sum(len(p.read_text().splitlines()) for p in (folder / "quarantine").iterdir()) == 50


def test_an_empty_archive_gives_an_empty_dataset(tmp_path):
    folder = tmp_path / "raw" / "gharchive"
    folder.mkdir(parents=True)
    (folder / "2015-01-01-0.json.gz").write_bytes(gzip.compress(b""))
    manifest = days(tmp_path / "raw", tmp_path, ["gharchive"]).manifests["gharchive_actor_day"]
    assert (manifest["status"], manifest["records"], manifest["windows"]) == ("completed", 0, 0)


def test_the_flag_of_the_command_asks_for_it(command, raw, tmp_path):
    found = command(
        "prepare", "--dataset", "gharchive", "--data-root", raw, "--processed-dir", tmp_path / "p",
        "--reports-dir", tmp_path / "r", "--run-id", "a", "--windowing", "actor_day", "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert found.json["datasets"]["gharchive_actor_day"]["activities"] == RECORDS


def test_an_export_comes_back_as_days(command, done, tmp_path):
    name = "gharchive_actor_day"
    command("export", done[0] / "p", "--output", tmp_path / "e", "--dataset", name)
    found = command("import", tmp_path / "e", "--processed-dir", tmp_path / "p")
    assert found.code == 0, found.err
    manifest = json.loads((tmp_path / "p" / name / "manifest.json").read_text())
    assert manifest["windowing"] == "actor_day"
    assert uids(tmp_path, name) == uids(done[0], name)


def sent(tmp_path, items, partitions=2):
    """Rows that a task sends for some mails, and the report it wrote."""
    adapter = adapters()["enron_maildir"](PrepareConfig(windowing="actor_day"))
    writer = DayWriter(adapter, 0, target=str(tmp_path), key="k", node="n")
    writer.add(0, "label", items)
    report = writer.flush(writer.rows)
    return writer.rows_of(report, partitions), report


def mail(number, sender="ada", hour=9):
    head = f"Date: Tue, 1 May 2001 {hour:02}:00:00 +0000\nFrom: {sender}@example.com\n\nhello"
    return RawItem(number, f"maildir/x/{number}.", head.encode())


def test_the_same_rows_in_any_order_give_the_same_files(tmp_path):
    rows, _ = sent(tmp_path, [mail(1), mail(2, hour=11), mail(3, "bob"), mail(4, "eve")])
    assert rows.schema == DAY_SCHEMA
    files = []
    for name, table_ in (("a", rows), ("b", rows.take(list(range(len(rows)))[::-1]))):
        list(write_partitions("d", table_, target=str(tmp_path / name), stem="s"))
        files.append({p.name: p.read_bytes() for p in (tmp_path / name / "windows").iterdir()})
    assert files[0] == files[1]


def test_an_actor_who_does_much_travels_as_few_rows(tmp_path):
    rows, report = sent(tmp_path, [mail(n) for n in range(1, 200)])
    assert len(rows) == 2  # a run and the report
    assert report.account.activities == 199


def test_a_partition_in_two_pieces_is_refused(tmp_path):
    rows, _ = sent(tmp_path, [mail(1)], partitions=1)
    *_, part = write_partitions("d", rows, target=str(tmp_path), stem="s")
    assert isinstance(part, PartitionReport)
    gathered = Gathered()
    gathered.add(part)
    with pytest.raises(StageError, match="came apart"):
        gathered.add(part)


def test_what_gets_lost_in_the_shuffle_is_noticed(tmp_path):
    rows, report = sent(tmp_path, [mail(1)], partitions=1)
    assert isinstance(report, BlockReport)
    gathered = Gathered()
    gathered.add(BlockSent(report, 1))
    with pytest.raises(StageError, match="1 of 1 shards and 0 of 1 runs"):
        gathered.account(1)
    for found in write_partitions("d", rows, target=str(tmp_path), stem="s"):
        if isinstance(found, PartitionReport):
            gathered.add(found)
    assert gathered.account(1).windows == 1
    with pytest.raises(StageError, match="1 of 2 shards"):
        gathered.account(2)


def test_partitions_follow_from_the_bytes_of_the_input():
    def shards(*sizes):
        files = [datasource.SourceFile(Path("x"), "x", n) for n in sizes]
        return [datasource.KeyedShard(datasource.Shard(0, tuple(files)), "k")]

    assert partition_count(shards(5)) == 1
    assert partition_count(shards(160 << 20, 160 << 20)) == 21
    assert partition_count(shards(1 << 50)) == 4096


def test_stats_are_of_the_windows(done):
    stats = json.loads((done[0] / "p" / "gharchive_actor_day" / "stats.json").read_text())
    windows = len(table(done[0], "gharchive_actor_day"))
    assert stats["windows"] == windows
    assert np.isclose(stats["features"]["source_confidence"]["max"], 0.9)
