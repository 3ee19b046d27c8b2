"""Enron Cornell: three files of integers, read together."""

import datetime as dt
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.enron_cornell import SHIFT_MS, EnronCornell
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_OFFSET, ActivityBatch, record_windows

ADAPTER = EnronCornell(PrepareConfig())
NOON = SHIFT_MS + int(dt.datetime(2001, 5, 14, 12, tzinfo=dt.UTC).timestamp() * 1000)
HOUR = 3_600_000


def write(root, counts, nodes, times, pack=gzip.compress, ending=".txt.gz"):
    folder = root / "enron/cornell"
    folder.mkdir(parents=True, exist_ok=True)
    for part, lines in (("nverts", counts), ("simplices", nodes), ("times", times)):
        data = lines if isinstance(lines, bytes) else "".join(f"{x}\n" for x in lines).encode()
        (folder / f"email-Enron-{part}{ending}").write_bytes(pack(data))


def read(root, **config):
    adapter = EnronCornell(PrepareConfig(**config))
    batches = [
        parse_block(adapter, file.label, block)
        for shard in adapter.shards(root)
        for file in shard.files
        for block in adapter.blocks(file)
    ]
    return ActivityBatch.join("email", batches)


def slugs(batch):
    return [(r.locator.rpartition("nverts.txt.gz")[2], r.slug) for r in batch.rejected]


def test_a_simplex_is_a_mail_at_its_time(tmp_path):
    write(tmp_path, [2, 3], [1, 2, 1, 5, 7], [NOON, NOON - HOUR])
    batch = read(tmp_path)
    assert record_windows(batch.columns).first.tolist() == [48, 44]
    assert batch.columns.source_id == ["1", "2"]
    assert batch.columns.offset_minutes.tolist() == [NO_OFFSET] * 2
    row = batch.columns.values[1]
    found = [
        row[INDEX[n] - 2] for n in ("email_activity", "participant_count", "source_confidence")
    ]
    assert found == pytest.approx([1, 3 / 50, 0.6])


def test_the_three_files_are_one_shard_and_are_counted_once(tmp_path):
    write(tmp_path, [1], [1], [NOON])
    (shard,) = ADAPTER.shards(tmp_path)
    assert [file.label.rpartition("-")[2] for file in shard.files] == [
        "nverts.txt.gz",
        "simplices.txt.gz",
        "times.txt.gz",
    ]
    assert [len(list(ADAPTER.blocks(file))) for file in shard.files] == [1, 0, 0]


def test_one_node_and_unsorted_times_are_fine(tmp_path):
    write(tmp_path, [1, 1], [9, 9], [NOON + HOUR, NOON])
    assert read(tmp_path).columns.start_us.tolist() == sorted(
        read(tmp_path).columns.start_us.tolist(), reverse=True
    )


def test_empty_last_lines_and_windows_line_ends_are_no_records(tmp_path):
    write(tmp_path, b"1\r\n1\r\n\r\n", b"1\n2", f"{NOON}\n{NOON}\n\n".encode())
    assert (read(tmp_path).records, read(tmp_path).rejected) == (2, [])


def test_plain_text_files_are_read_too(tmp_path):
    write(tmp_path, [1], [1], [NOON], pack=bytes, ending=".txt")
    assert read(tmp_path).records == 1


def test_a_missing_file_is_a_missing_dataset(tmp_path):
    write(tmp_path, [1], [1], [NOON])
    (tmp_path / "enron/cornell/email-Enron-times.txt.gz").unlink()
    assert ADAPTER.shards(tmp_path) == []


@pytest.mark.parametrize(
    ("counts", "nodes", "times", "expected"),
    [
        ([1, 1], [1, "x"], [NOON, NOON], [(":2", "bad_node")]),
        ([1, 0], [1], [NOON, NOON], [(":2", "bad_node")]),
        ([1, 1], [1, 2], [NOON, "x"], [(":2", "bad_time")]),
        ([1, 1], [1, 2], [NOON, "9" * 18], [(":2", "bad_time")]),
        ([1, 1], [1, 2], [NOON, "9" * 19], [(":2", "bad_time")]),
        ([1, 1], [1, 2], [NOON, SHIFT_MS], [(":2", "implausible_date")]),
        ([1, "x"], [1, 2], [NOON, NOON], [("#2", "files_disagree")]),
        ([1, 10**9], [1, 2], [NOON, NOON], [("#2", "files_disagree")]),
        ([1, 2], [1, 2], [NOON, NOON], [("#2", "files_disagree")]),
        ([1], [1, 2], [NOON], [("#2", "files_disagree")]),
        ([1, 1], [1, 2], [NOON], [("#2", "files_disagree")]),
        ([1], [1], [NOON, NOON], [("#2", "files_disagree")]),
        ([1, "1" * 2000], [1, 2], [NOON, NOON], [("#2", "record_too_large")]),
        ([1, 1], [1, "1" * 2000], [NOON, NOON], [("#2", "record_too_large")]),
    ],
)
def test_a_defect_is_found_and_what_came_before_is_kept(tmp_path, counts, nodes, times, expected):
    write(tmp_path, counts, nodes, times)
    batch = read(tmp_path)
    assert slugs(batch) == expected
    assert batch.columns.source_id == ["1"]


def test_a_cut_file_is_a_defect(tmp_path):
    write(tmp_path, [1] * 999, list(range(999)), [NOON + i * 7919 for i in range(999)])
    path = tmp_path / "enron/cornell/email-Enron-times.txt.gz"
    path.write_bytes(path.read_bytes()[:-40])
    assert [slug for _, slug in slugs(read(tmp_path))] == ["truncated_stream"]


def test_the_block_size_changes_nothing(tmp_path):
    write(tmp_path, [1] * 999, list(range(999)), [NOON] * 999)
    assert read(tmp_path, raw_block_bytes=4096).columns.source_id == [
        str(i) for i in range(1, 1000)
    ]


@given(st.binary(), st.binary(), st.binary())
def test_no_bytes_crash_the_adapter(tmp_path_factory, counts, nodes, times):
    root = tmp_path_factory.getbasetemp() / "cornell"
    write(root, counts, nodes, times, pack=bytes, ending=".txt")
    read(root)
    ADAPTER.parse("x", [RawItem(1, "", counts), RawItem(2, "", times + b"\t" + nodes)])


@pytest.mark.realdata
def test_the_real_files_hold_10883_simplices(real_data):
    batch = read(real_data)
    assert (batch.records, len(batch.columns), batch.rejected) == (10_883, 10_883, [])
