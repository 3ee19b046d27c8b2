"""Prepare on three hosts, sources and windows in a store, and something breaks on the way."""

import json
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jepa_ray.config import PrepareConfig
from jepa_ray.prepare import prepare
from jepa_ray.synth import synthesize
from tests.chaos.faults import FAULTS, end

pytestmark = [pytest.mark.ray, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(600)]
NAMES = ("enron_maildir", "gharchive")
RECORDS = 12_000
AT_WORK = ("ray::Read", "ray::MapBatches")
Rows = dict[str, list[dict]]


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for name in NAMES:
        synthesize(name, root, seed=1, records=RECORDS)
    return root


@pytest.fixture(scope="module")
def calm(raw, tmp_path_factory, ray_session) -> Rows:
    """The windows of the undisturbed run, on a local Ray and a disk."""
    out = tmp_path_factory.mktemp("calm")
    found = prepare(
        list(NAMES), data_root=raw, processed_dir=str(out), reports_dir=str(out / "r"),
        run_id="a", config=PrepareConfig(),
    )  # fmt: skip
    return rows(found.manifests, lambda name, part: out / name / "windows" / part)


def rows(manifests: dict[str, dict], place) -> Rows:
    """All windows, with all that is stored of them, in an order of their own."""
    return {
        name: sorted(
            (
                row
                for part in manifest["parts"]
                for row in pq.read_table(place(name, part["name"])).to_pylist()
            ),
            key=lambda row: (row["window_uid"], row["source_id"]),
        )
        for name, manifest in manifests.items()
    }


def command(data_root: object, out: object) -> tuple[object, ...]:
    return (
        "prepare", "--dataset", ",".join(NAMES), "--data-root", data_root,
        "--processed-dir", f"{out}/p", "--reports-dir", f"{out}/r", "--run-id", "a", "--json",
        "--set", "raw_block_bytes=131072",
    )  # fmt: skip


def wait_for_parts(s3, process, count: int = 2) -> None:
    """Until the work is in full swing."""
    for _ in range(600):
        if sum("/windows/part-" in key for key in s3.names()) >= count:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    raise TimeoutError("no parts appear")


def require_the_same(s3, out: str, calm: Rows) -> None:
    manifests = json.loads(out)["datasets"]
    assert {name: m["records"] for name, m in manifests.items()} == dict.fromkeys(NAMES, RECORDS)
    folder = f"{s3.bucket}/p"
    whole = {n: json.loads(s3.fs.cat_file(f"{folder}/{n}/manifest.json")) for n in NAMES}
    found = rows(whole, lambda name, part: s3.fs.open(f"{folder}/{name}/windows/{part}"))
    assert found == calm


@pytest.mark.parametrize("fault", FAULTS)
def test_the_windows_are_those_of_an_undisturbed_run(whole, s3, raw, calm, fault, record):
    s3.upload(raw, "raw")

    def start():
        return whole.start(*command(f"{s3.url}/raw", s3.url))

    began = time.monotonic()
    process = start()
    wait_for_parts(s3, process)
    FAULTS[fault](whole, process, AT_WORK)
    out, outcome = end(process, start)
    record(f"{outcome}; {time.monotonic() - began:.0f} s")
    require_the_same(s3, out, calm)


def test_a_host_with_a_full_disk_is_one_message_or_no_matter(whole, s3, raw, calm, record):
    s3.upload(raw, "raw")

    def start():
        return whole.start(*command(f"{s3.url}/raw", s3.url))

    with whole.small_disk("host2") as disk:
        process = start()
        wait_for_parts(s3, process)
        disk.fill()

        def with_room():
            disk.clear()
            return start()

        out, outcome = end(process, with_room)
    record(outcome)
    require_the_same(s3, out, calm)
