"""SmartToDo: coded rows without time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import mutated, mutations

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.smart_todo_coded import SmartTodoCoded
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_TIME, record_windows

ADAPTER = SmartTodoCoded(PrepareConfig())
HEADER = b"UniqueID\tdata_index\tcurrent_id\thighlight_start\thighlight_end\tto_do_summary\r\n"
ROW = b"162996542\t746\t063-007332-EM\t25\t31\t$810$ $6764$ #NAME# $38$\r\n"


def parse(data, number=1):
    return ADAPTER.parse("s.tsv", [RawItem(number, "", data)])


def value(batch, name):
    return round(float(batch.columns.values[0, INDEX[name] - 2]), 5)


def test_a_row_is_a_task_on_all_slots():
    batch = parse(HEADER + ROW)
    windows = record_windows(batch.columns)
    assert (windows.first.tolist(), windows.last.tolist()) == ([0], [95])
    assert (batch.columns.timed[0], batch.columns.start_us[0]) == (False, NO_TIME)
    names = ("task", "email_activity", "priority", "source_confidence")
    assert [value(batch, name) for name in names] == [1, 0, 0, 0.6]


def test_coded_words_are_counted_and_the_line_end_is_no_text():
    batch = parse(ROW)
    assert value(batch, "text_length") == len("$810$ $6764$ #NAME# $38$") / 5000
    assert json.loads(batch.columns.metadata[0]) == {"words": 4, "highlight_words": 6}


def test_two_rows_of_one_id_are_two_records_wherever_they_stand():
    other = ROW.replace(b"162996542", b"5")
    batch = parse(HEADER + ROW + ROW + other + ROW)
    assert batch.columns.source_id == ["162996542-2", "162996542-3", "5-4", "162996542-5"]


@pytest.mark.parametrize("header", [HEADER, b"\xef\xbb\xbf" + HEADER.replace(b"\r", b"")])
def test_the_header_is_no_record(header):
    assert parse(header + ROW).records == 1
    assert parse(header, number=2).rejected


def test_rows_of_a_mailbox_share_its_hash():
    found = parse(ROW + ROW.replace(b"063-007", b"063-008") + ROW.replace(b"063-", b"064-"))
    projects = found.columns.project.tolist()
    assert projects[0] == projects[1] != projects[2]


@pytest.mark.parametrize(
    ("bad", "slug"),
    [
        (b"1\t2\t3", "malformed_line"),
        (ROW[:-2] + b"\tmore\r\n", "malformed_line"),
        (ROW.replace(b"$810$", b"\xff"), "malformed_line"),
        (ROW.replace(b"162996542", b"Jane"), "bad_number"),
        (ROW.replace(b"25", b"-1"), "bad_number"),
        (ROW.replace(b"31", b""), "bad_number"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(bad, slug):
    batch = parse(ROW + bad.rstrip() + b"\r\n" + ROW, number=7)
    assert [(r.locator, r.slug) for r in batch.rejected] == [("s.tsv:8", slug)]
    assert len(batch.columns) == 2


@given(st.binary(), mutations)
def test_no_bytes_crash_the_adapter(data, changes):
    parse(data)
    parse(mutated(HEADER + ROW + ROW, changes))


@pytest.mark.realdata
def test_the_real_file_has_24070_rows(real_data):
    (file,) = ADAPTER.shards(real_data)[0].files
    batches = [parse_block(ADAPTER, file.label, block) for block in ADAPTER.blocks(file)]
    assert sum(len(b.columns) for b in batches) == sum(b.records for b in batches) == 24_070
    assert len({i for b in batches for i in b.columns.source_id}) == 24_070
