"""Enron SNAP: edges without any time, as columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.enron_snap import EnronSnap
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_OFFSET, NO_TIME, record_windows, window_table

ADAPTER = EnronSnap(PrepareConfig())
HEADER = b"# Directed graph\r\n# Nodes: 2 Edges: 2\r\n# FromNodeId\tToNodeId\r\n"
EDGES = b"0\t1\r\n1\t0\r\n"


def parse(data, number=1):
    return ADAPTER.parse("s.txt.gz", [RawItem(number, "", data)])


def test_an_edge_stands_on_all_slots_without_a_time():
    columns = parse(HEADER + EDGES).columns
    assert columns.source_id == ["0-1", "1-0"]
    assert columns.start_us.tolist() == columns.due_us.tolist() == [NO_TIME] * 2
    assert columns.offset_minutes.tolist() == [NO_OFFSET] * 2
    assert not columns.timed.any()
    windows = record_windows(columns)
    assert (windows.first.tolist(), windows.last.tolist()) == ([0, 0], [95, 95])
    names = ("email_activity", "participant_count", "source_confidence")
    found = windows.densify()[0][48, [INDEX[n] for n in names]]
    assert found.tolist() == pytest.approx([1, 0.04, 0.3])


def test_there_is_no_time_in_the_table_either():
    batch = parse(EDGES)
    row = window_table("d", batch.kind, batch.columns, record_windows(batch.columns)).to_pylist()[0]
    assert (row["window_start"], row["utc_offset_minutes"], row["timed"]) == (None, None, False)


def test_edges_from_one_node_share_an_actor():
    actors = parse(b"7\t1\r\n8\t1\r\n7\t2\r\n").columns.actor.tolist()
    assert actors[0] == actors[2] != actors[1]
    assert 0 not in actors


@pytest.mark.parametrize("data", [EDGES, EDGES.replace(b"\r", b""), b" 0 1\n1   0 ", EDGES[:-2]])
def test_line_ends_and_blanks_do_not_matter(data):
    assert parse(data).columns.source_id == ["0-1", "1-0"]


def test_the_fast_path_and_the_slow_path_agree():
    fast, slow = parse(EDGES).columns, parse(EDGES + b"\r\n# x\r\n").columns
    for name in ("start_us", "values", "actor", "timed"):
        assert np.array_equal(getattr(fast, name), getattr(slow, name))


@pytest.mark.parametrize(
    "bad", [b"1", b"1\t2\t3", b"a\tb", b"-1\t2", b"1\t" + b"9" * 19, b"\xff", b"\xd9\xa1\t\xd9\xa2"]
)
def test_a_bad_line_is_rejected_with_its_number(bad):
    batch = parse(b"0\t1\r\n" + bad + b"\r\n1\t0\r\n", number=9)
    assert [(r.locator, r.slug) for r in batch.rejected] == [("s.txt.gz:10", "malformed_line")]
    assert (batch.records, len(batch.columns)) == (3, 2)


def test_only_comments_is_no_record():
    assert parse(HEADER).records == parse(HEADER[:-2]).records == 0


@given(st.lists(st.sampled_from([b"0", b"\t", b"\r\n", b"\n", b"#", b" ", b"\xff"])))
def test_no_lines_crash_the_adapter(pieces):
    parse(b"".join(pieces))


@given(st.binary())
def test_no_bytes_crash_the_adapter(data):
    parse(data)


@pytest.mark.realdata
def test_the_real_file_has_367662_edges(real_data):
    (file,) = ADAPTER.shards(real_data)[0].files
    batches = [parse_block(ADAPTER, file.label, block) for block in ADAPTER.blocks(file)]
    assert sum(len(b.columns) for b in batches) == 367_662
    assert sum(b.records for b in batches) == 367_662
    assert len({i for b in batches for i in b.columns.source_id}) == 367_662
