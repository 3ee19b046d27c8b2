"""Windows as Arrow and Parquet."""

# ruff: noqa: DTZ001 - naive wall clocks on purpose

import datetime as dt
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.windows import (
    WINDOW_SCHEMA,
    Activity,
    ActivityBatch,
    record_windows,
    sparse_windows,
    window_table,
)

EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
ITEMS = [
    Activity(
        "a",
        dt.datetime(1965, 1, 1, 23, 50, tzinfo=EAST),
        {"task": 1.0},
        end=dt.datetime(1965, 1, 2, 1, tzinfo=EAST),
        due=dt.date(1965, 1, 1),
        actor=2**64 - 1,
        project=7,
        category="timed",
        metadata="{}",
    ),
    Activity("b", None, {"priority": 0.5}),
]


def table(items=ITEMS):
    columns = ActivityBatch.of("kind", items).columns
    return window_table("dataset", "kind", columns, record_windows(columns))


def test_every_column_survives_parquet():
    sink = io.BytesIO()
    pq.write_table(table(), sink, compression="zstd")
    back = pq.read_table(sink)
    assert back.schema.equals(WINDOW_SCHEMA)
    assert back.schema.metadata[b"jepa_ray.contract_version"] == b"1"
    assert back.equals(table())


def test_a_row_holds_the_local_clock_the_offset_and_the_hashes():
    row = table().to_pylist()[0]
    assert row["window_start"] == dt.datetime(1965, 1, 1, 23, 50)
    assert row["window_end"] == dt.datetime(1965, 1, 2, 1)
    assert (row["utc_offset_minutes"], row["timed"]) == (330, True)
    assert row["due"] == dt.datetime(1965, 1, 1)
    assert (row["actor"], row["project"]) == (2**64 - 1, 7)


def test_what_is_not_known_is_null():
    row = table().to_pylist()[1]
    names = ("window_start", "window_end", "utc_offset_minutes", "due", "actor", "project")
    assert [row[name] for name in names] == [None] * 6
    assert row["timed"] is False


def test_sparse_to_arrow_to_sparse_is_exact_also_in_slices_and_chunks():
    whole = pa.concat_tables([table(), table([]), table()])
    expected = record_windows(ActivityBatch.of("kind", ITEMS * 2).columns).densify()
    assert np.array_equal(sparse_windows(whole["runs"]).densify(), expected)
    assert np.array_equal(sparse_windows(whole["runs"][1:3]).densify(), expected[1:3])
    assert np.array_equal(sparse_windows(whole["runs"][2:2]).densify(), expected[:0])


def test_no_windows_are_a_table_of_no_rows():
    assert table([]).num_rows == 0
    assert len(sparse_windows(table([])["runs"])) == 0


def test_the_same_record_has_the_same_uid_in_another_table():
    assert table()["window_uid"][1] == table(ITEMS[1:])["window_uid"][0]
