"""Files of a prepared dataset: windows and quarantine."""

import json

import pyarrow.parquet as pq

from jepa_ray.windows import WINDOW_SCHEMA, Rejected, exchanged, write_part, write_quarantine


def test_a_part_tells_its_rows_and_its_bytes(tmp_path):
    part = write_part(str(tmp_path), "part-a.parquet", WINDOW_SCHEMA.empty_table())
    path = tmp_path / "windows" / "part-a.parquet"
    assert (part.name, part.rows, part.bytes) == ("part-a.parquet", 0, path.stat().st_size)
    assert pq.read_table(path).schema.equals(WINDOW_SCHEMA)


def test_a_quarantine_has_a_line_a_record_and_none_without_any(tmp_path):
    assert write_quarantine(str(tmp_path), "bad-a.jsonl", []) is None
    rejected = [Rejected("a:1", "x", "y"), Rejected("a:2", "x", "z")]
    part = write_quarantine(str(tmp_path), "bad-b.jsonl", rejected)
    assert part is not None
    size = (tmp_path / "quarantine" / "bad-b.jsonl").stat().st_size
    assert (part.name, part.rows, part.bytes) == ("bad-b.jsonl", len(rejected), size)
    found = (tmp_path / "quarantine" / "bad-b.jsonl").read_text().splitlines()
    assert [json.loads(line)["detail"] for line in found] == ["y", "z"]


def test_a_file_that_was_exchanged_shows_by_its_name(tmp_path):
    part = write_part(str(tmp_path), "part-a-{digest}.parquet", WINDOW_SCHEMA.empty_table())
    assert exchanged(str(tmp_path), part.name) is False
    path = tmp_path / "windows" / part.name
    path.write_bytes(path.read_bytes() + b"x")
    assert exchanged(str(tmp_path), part.name) is True
    for name in ("part-a.parquet", "part-0000000007.parquet"):
        assert exchanged(str(tmp_path), name) is None
