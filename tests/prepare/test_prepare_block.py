"""One raw block -> a part file, a quarantine file and an account."""

import hashlib
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.block import RAW_SCHEMA, BlockReport, process_block, raw_table
from jepa_ray.readers import RawDefect, RawItem
from jepa_ray.synth import DATASETS
from jepa_ray.windows import WINDOW_SCHEMA
from tests.prepared_corpus import JIRA, issue_lines, process_shards, write_issues, write_prepared

LABEL = "public_jira/x.jsonl"
BAD = [b"{", b'{"id": "A:1"}', b'{"id": "A:2", "created": "secret words"}']


def block(lines: list[bytes], number: int = 1) -> list[RawItem | RawDefect]:
    return [RawItem(number, "", b"\n".join(lines))]


def processed(target: Path, items: list[RawItem | RawDefect]) -> BlockReport:
    adapter = adapters()[JIRA](PrepareConfig())
    table = raw_table(2, 1, LABEL, items)
    (report,) = process_block(adapter, table, target=str(target), key="0abc")
    return report


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_written_part_holds_a_window_per_record_in_our_schema(tmp_path):
    report = processed(tmp_path, block(issue_lines(20)))
    assert report.account.parts
    file = tmp_path / "windows" / report.account.parts[0].name
    table = pq.read_table(file)
    assert table.schema.equals(WINDOW_SCHEMA)
    assert table.schema.metadata == WINDOW_SCHEMA.metadata
    assert len(table) == report.account.parts[0].rows == 20
    assert file.stat().st_size == report.account.parts[0].bytes
    numbers = [source_id.rpartition(":")[2] for source_id in table["source_id"].to_pylist()]
    assert numbers == [str(10_000 + i) for i in range(20)]


def test_the_names_of_the_files_follow_from_the_place_of_the_block_and_their_content(tmp_path):
    report = processed(tmp_path, block([*issue_lines(3), *BAD], number=7))
    assert (report.shard, report.place) == (2, (1, 7))
    part, bad = sorted(content(tmp_path), reverse=True)
    assert re.fullmatch(r"windows/part-0abc-00001-0000000007-[0-9a-f]{8}\.parquet", part)
    assert re.fullmatch(r"quarantine/bad-0abc-00001-0000000007-[0-9a-f]{8}\.jsonl", bad)


def test_another_cut_of_the_same_place_does_not_overwrite_a_file(tmp_path):
    processed(tmp_path, block([*issue_lines(9), *BAD]))
    before = content(tmp_path)
    processed(tmp_path, block([*issue_lines(3), BAD[0]]))
    after = content(tmp_path)
    assert len(after) == 4
    assert before.items() < after.items()


def test_a_block_that_is_processed_twice_writes_the_same_bytes(tmp_path):
    items = block([*issue_lines(30), *BAD])
    processed(tmp_path, items)
    before = content(tmp_path)
    processed(tmp_path, items)
    assert content(tmp_path) == before
    processed(tmp_path / "elsewhere", items)
    assert content(tmp_path / "elsewhere") == before


def test_every_record_is_a_window_a_skip_or_in_the_quarantine(tmp_path):
    defect = RawDefect(99, "record_too_long", "a line of more than 3 bytes")
    report = processed(tmp_path, [*block([*issue_lines(4), *BAD]), defect])
    assert report.account.records == {LABEL: 8}
    assert len(report.account.parts) == 1
    assert report.account.parts[0].rows == 4
    assert report.account.quarantined == {
        "malformed_line": 1, "missing_field": 1, "bad_time": 1, "record_too_long": 1,
    }  # fmt: skip
    assert report.account.skipped.total() == report.account.expanded == 0


def test_a_quarantine_line_has_locator_slug_and_detail_and_no_raw_text(tmp_path):
    report = processed(tmp_path, [*block([*issue_lines(4), *BAD]), RawDefect(9, "x", "y")])
    text = (tmp_path / "quarantine" / report.account.quarantine[0].name).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["locator"] for line in lines] == [
        f"{LABEL}:5", f"{LABEL}:6", f"{LABEL}:7", f"{LABEL}#9",
    ]  # fmt: skip
    assert all(set(line) == {"locator", "slug", "detail"} for line in lines)
    assert "secret" not in text


def test_a_block_without_defects_writes_no_quarantine(tmp_path):
    assert processed(tmp_path, block(issue_lines(3))).account.quarantine == ()
    assert not (tmp_path / "quarantine").exists()


def test_a_block_of_defects_only_writes_no_windows(tmp_path):
    report = processed(tmp_path, [RawDefect(1, "truncated_stream", "ends early")])
    assert (report.account.parts, report.account.statistics) == ((), None)
    assert report.account.records == {LABEL: 1}
    assert not (tmp_path / "windows").exists()


def test_a_part_goes_to_a_url(tmp_path):
    manifest = write_prepared("memory://block", tmp_path, records=9, files=2)
    assert [part["rows"] for part in manifest["parts"]] == [5, 4]


def test_a_report_survives_its_way_between_tasks(tmp_path):
    report = processed(tmp_path, block([*issue_lines(5), *BAD]))
    back = BlockReport.loads(report.dumps())
    assert (back.place, back.account.records, back.account.parts) == (
        report.place,
        report.account.records,
        report.account.parts,
    )
    assert back.account.statistics is not None
    assert report.account.statistics is not None
    assert back.account.statistics.document() == report.account.statistics.document()


def test_a_raw_block_keeps_its_bytes_names_and_defects():
    odd = "a\udcff"
    table = raw_table(1, 2, "l", [RawItem(3, odd, b"\x00\xff"), RawDefect(4, "slug", "why")])
    assert table.schema.equals(RAW_SCHEMA)
    item, defect = table.to_pylist()
    assert (item["number"], item["data"], item["slug"]) == (3, b"\x00\xff", None)
    assert item["name"].decode("utf-8", "surrogateescape") == odd
    assert (defect["number"], defect["data"], defect["slug"]) == (4, None, "slug")


@pytest.mark.parametrize("dataset", DATASETS)
def test_each_archive_gives_the_same_files_on_every_run(tmp_path, dataset):
    counted = []
    for name in ("one", "two"):
        manifest = write_prepared(tmp_path / name, tmp_path / "raw", dataset, records=40)
        counted.append(content(tmp_path / name / dataset / "windows"))
        assert manifest["records"] == 40
        assert manifest["quarantined"] == {}
    assert counted[0] == counted[1] != {}


def test_how_the_work_is_cut_does_not_change_the_windows(tmp_path):
    lines = issue_lines(40)
    whole = processed(tmp_path / "whole", block(lines))
    adapter = adapters()[JIRA](PrepareConfig())
    pieces = [
        report
        for i in range(0, 40, 9)
        for report in process_block(
            adapter,
            raw_table(0, 0, LABEL, block(lines[i : i + 9], number=i + 1)),
            target=str(tmp_path / "cut"),
            key="k",
        )
    ]
    assert whole.account.parts
    one = pq.read_table(tmp_path / "whole" / "windows" / whole.account.parts[0].name)
    parts = [pq.read_table(tmp_path / "cut" / "windows" / p.account.parts[0].name) for p in pieces]
    assert [row for part in parts for row in part.to_pylist()] == one.to_pylist()


def test_blocks_of_a_shard_come_in_the_order_of_their_places(tmp_path):
    write_issues(tmp_path / "raw", issue_lines(30), files=3)
    config = PrepareConfig()
    shards = adapters()[JIRA](config).shards(tmp_path / "raw")
    reports = process_shards(JIRA, shards, target=str(tmp_path / "out"), key="k", config=config)
    assert [(r.shard, *r.place) for r in reports] == sorted((r.shard, *r.place) for r in reports)
