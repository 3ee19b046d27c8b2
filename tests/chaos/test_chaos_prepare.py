"""Prepare on three hosts, sources and windows in a store, and something breaks on the way."""

import json
import time

import pytest

from tests.chaos.faults import FAULTS, end
from tests.chaos.undisturbed import NAMES, RECORDS, Rows, prepare_command, rows

pytestmark = [pytest.mark.ray, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(600)]
AT_WORK = ("ray::Read", "ray::MapBatches")


def wait_for_parts(s3, process, count: int = 2) -> None:
    """Until the work is in full swing."""
    for _ in range(600):
        if sum("/windows/part-" in key for key in s3.names()) >= count:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    raise TimeoutError("no parts appear")


def require_the_same(s3, out: str, calm_windows: Rows) -> None:
    manifests = json.loads(out)["datasets"]
    assert {name: m["records"] for name, m in manifests.items()} == dict.fromkeys(NAMES, RECORDS)
    s3.fs.invalidate_cache()
    folder = f"{s3.bucket}/p"
    whole = {n: json.loads(s3.fs.cat_file(f"{folder}/{n}/manifest.json")) for n in NAMES}
    found = rows(whole, lambda name, part: s3.fs.open(f"{folder}/{name}/windows/{part}"))
    assert found == calm_windows


@pytest.mark.parametrize("fault", FAULTS)
def test_the_windows_are_those_of_an_undisturbed_run(whole, s3, raw, calm_windows, fault, record):
    s3.upload(raw, "raw")

    def start():
        return whole.start(*prepare_command(f"{s3.url}/raw", s3.url))

    began = time.monotonic()
    process = start()
    wait_for_parts(s3, process)
    FAULTS[fault](whole, process, AT_WORK)
    out, outcome = end(process, start)
    record(f"{outcome}; {time.monotonic() - began:.0f} s")
    require_the_same(s3, out, calm_windows)


def test_a_host_with_a_full_disk_is_one_message_or_no_matter(whole, s3, raw, calm_windows, record):
    s3.upload(raw, "raw")

    def start():
        return whole.start(*prepare_command(f"{s3.url}/raw", s3.url))

    with whole.small_disk("host2") as disk:
        process = start()
        wait_for_parts(s3, process)
        disk.fill()

        def with_room():
            disk.clear()
            return start()

        out, outcome = end(process, with_room)
    record(outcome)
    require_the_same(s3, out, calm_windows)
