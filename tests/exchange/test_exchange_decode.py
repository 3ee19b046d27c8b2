"""One block of records: rows, and every defect with its place."""

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.exchange.decode import Batch, RecordReader
from jepa_ray.exchange.encode import RecordWriter
from jepa_ray.readers import RawDefect, RawItem
from jepa_ray.windows import NO_OFFSET, NO_TIME, WINDOW_SCHEMA, Rejected, window_table
from tests.exchange.records import (
    DATASET,
    any_windows,
    columns_of,
    items,
    lines,
    record,
    tokens,
)

SECRET = "Ann Example"


def read(*records: dict, dataset: str = DATASET) -> Batch:
    return RecordReader(dataset, "salt").batch("train.jsonl.gz", items(*records))


def rows(batch: Batch) -> list[dict]:
    return batch.table.drop_columns(["runs"]).to_pylist()


def test_a_record_of_another_producer_is_a_row():
    metadata = {
        "due": "2026-06-03",
        "actor": "Ann",
        "category": "bug",
        "words": 12,
        "title": SECRET,
    }
    batch = read(record(metadata=metadata))
    (found,) = rows(batch)
    local = dt.datetime(2026, 6, 1, 14, 1)  # noqa: DTZ001
    assert (found["window_start"], found["window_end"]) == (local, local)
    assert (found["utc_offset_minutes"], found["timed"]) == (0, True)
    assert found["due"] == dt.datetime(2026, 6, 3)  # noqa: DTZ001
    assert (found["category"], found["metadata"]) == ("bug", '{"words":12}')
    assert found["actor"]
    dense = batch.windows.densify()[0]
    assert np.flatnonzero(dense[:, 3]).tolist() == [56]
    assert dense[56, 14] == np.float32(0.85)


def test_a_record_without_a_time_is_untimed():
    (found,) = rows(read(record(window_start=None, window_end=...)))
    assert (found["window_start"], found["window_end"], found["timed"]) == (None, None, False)


def test_the_uid_is_that_of_the_same_record_wherever_it_comes_from():
    windows = any_windows(1)
    ours = window_table(DATASET, "task", columns_of(windows, source_id=["7"]), windows)
    start = "2026-06-01T14:01:00+00:00"
    assert rows(read(record(window_start=start)))[0]["window_uid"] == ours["window_uid"][0].as_py()


@pytest.mark.parametrize(
    ("changes", "slug", "detail"),
    [
        ({"tokens": tokens()[:-1]}, "bad_shape", "96 lists of 16"),
        ({"tokens": tokens(task=1.5)}, "bad_value", "task of slot 56"),
        ({"tokens": tokens(decimals=2)}, "bad_positions", "slot / 95"),
        ({"tokens": ...}, "bad_field", "tokens"),
        ({"window_start": "noon"}, "bad_time", "window_start"),
        ({"window_start": 5}, "bad_field", "$.window_start"),
        ({"window_start": None}, "bad_time", "without a window_start"),
        ({"window_end": "2026-06-01T14:00:59Z"}, "bad_time", "before window_start"),
        ({"window_start": "0001-01-01T00:00:00+14:00"}, "bad_time", "before 1800"),
        ({"source_id": ""}, "bad_field", "empty"),
        ({"window_kind": ...}, "bad_field", "window_kind"),
        ({"source_id": 7}, "bad_field", "$.source_id"),
        ({"dataset": "another"}, "other_dataset", "folder"),
        ({"metadata": [1]}, "bad_field", "$.metadata"),
    ],
)
def test_a_bad_record_is_quarantined_with_its_place_and_defect(changes, slug, detail):
    batch = read(record(), record(**changes), record(source_id="8"))
    (bad,) = batch.rejected
    assert (bad.locator, bad.slug) == ("train.jsonl.gz:2", slug)
    assert detail in bad.detail
    assert [row["source_id"] for row in rows(batch)] == ["7", "8"]
    assert (batch.records, len(batch.windows)) == (3, 2)


@pytest.mark.parametrize(
    ("line", "detail"),
    [(b"{", "truncated"), (b"\xff\xfe", "malformed"), (b"[1]", "array"), (b"NaN", "invalid"),
     (lines(record()).replace(b"0.85", b"NaN").strip(), "invalid"),
     (b'{"dataset": "' + SECRET.encode() + b'\xff"}', "UTF-8"),
     (b'{"metadata": {"a": ' + b"[" * 20_000, "deep")],
)  # fmt: skip
def test_a_line_that_is_no_json_object_is_malformed(line, detail):
    batch = RecordReader(DATASET, "s").batch("a", [RawItem(3, "", line + b"\n" + lines(record()))])
    (bad,) = batch.rejected
    assert bad.locator == "a:3"
    assert bad.slug in ("malformed_line", "bad_field")
    assert detail.lower() in bad.detail.lower()
    assert SECRET not in bad.detail
    assert len(batch.table) == 1


@pytest.mark.parametrize("brackets", [('{"a":', "}"), ("[", "]")])
@pytest.mark.parametrize("key", ["deep", "judges", "due"])
@pytest.mark.parametrize("depth", [9, 330, 480, 900])
def test_a_nested_value_is_dropped_or_its_line_rejected_and_nothing_crashes(brackets, key, depth):
    value = brackets[0] * depth + "1" + brackets[1] * depth
    line = lines(record(metadata={key: "@"})).replace(b'"@"', value.encode())
    reader = RecordReader(DATASET, "s")
    batch = reader.batch("a", [RawItem(1, "", line + lines(record()))])
    assert len(batch.table) + len(batch.rejected) == 2
    assert reader.dropped.total() == len(batch.table) - 1
    assert batch.table["metadata"].null_count == len(batch.table)


def test_what_the_reader_could_not_cut_out_is_quarantined():
    defect = RawDefect(9, "truncated_stream", "it ends")
    batch = RecordReader(DATASET, "s").batch("a", [*items(record()), defect])
    assert batch.rejected == [Rejected("a:9", "truncated_stream", "it ends")]
    assert batch.records == 2


def test_blank_lines_carriage_returns_and_a_mark_of_the_byte_order_do_no_harm():
    text = b"\xef\xbb\xbf" + lines(record()).replace(b"\n", b"\r\n") + b"\n \n" + lines(record())
    batch = RecordReader(DATASET, "s").batch("a", [RawItem(1, "", text)])
    assert (len(batch.table), batch.records) == (2, 4)
    assert batch.skipped == {"blank_line": 2}
    assert not batch.rejected


def test_a_block_of_no_records_is_an_empty_table():
    batch = RecordReader(DATASET, "s").batch("a", [])
    assert batch.table.schema == WINDOW_SCHEMA
    assert (len(batch.table), len(batch.windows), batch.records) == (0, 0, 0)


def test_kinds_may_mix_and_rows_keep_their_order():
    kinds = ["task", "mail", "task", "mail", "note"]
    records = [record(source_id=str(i), window_kind=kind) for i, kind in enumerate(kinds)]
    batch = read(*records)
    assert [(r["source_id"], r["window_kind"]) for r in rows(batch)] == [
        (str(i), kind) for i, kind in enumerate(kinds)
    ]
    alone = [rows(read(r))[0]["window_uid"] for r in records]
    assert batch.table["window_uid"].to_pylist() == alone


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Rows of all kinds that an adapter can give."""
    n = draw(st.integers(0, 6))
    windows = any_windows(n, seed=draw(st.integers(0, 9)))
    times = st.integers(-5_000_000_000_000_000, 5_000_000_000_000_000)
    listed = {
        "source_id": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        "start_us": st.just(NO_TIME) | times,
        "end_us": times,
        "offset_minutes": st.just(NO_OFFSET) | st.integers(-1439, 1439),
        "timed": st.booleans(),
        "due_us": st.just(NO_TIME) | times,
        "actor": st.integers(0, 2**64 - 1),
        "project": st.integers(0, 2**64 - 1),
        "category": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "metadata": st.none()
        | st.sampled_from(['{"words":3}', '{"judges":5,"votes":{"WD":{"night":1}}}']),
    }
    drawn = {key: draw(st.lists(values, min_size=n, max_size=n)) for key, values in listed.items()}
    drawn["end_us"] = list(map(max, drawn["start_us"], drawn["end_us"]))
    return window_table("a", "k\u00e9", columns_of(windows, **drawn), windows)


@settings(deadline=None)  # the first example is slow on a busy machine
@given(tables())
def test_every_row_comes_back_with_its_uid_columns_and_windows(table):
    text = b"".join(RecordWriter("a").lines(table))
    batch = RecordReader("a", "another salt").batch("x", [RawItem(1, "", text)] if text else [])
    assert not batch.rejected
    assert batch.table.equals(table)
    assert b"".join(RecordWriter("a").lines(batch.table)) == text


def test_a_line_has_the_keys_of_the_reference_record_and_plain_numbers():
    windows = any_windows(3)
    (line, *_) = RecordWriter("d").lines(window_table("d", "k", columns_of(windows), windows))
    found = json.loads(line)
    assert list(found) == [
        "dataset", "source_id", "window_kind", "window_start", "window_end", "tokens", "metadata",
    ]  # fmt: skip
    assert found["window_start"] == "2026-06-01T14:01:00+00:00"
    assert np.array(found["tokens"]).shape == (96, 16)
    assert all(isinstance(number, float) for token in found["tokens"] for number in token)
    assert line.endswith(b"}\n")
