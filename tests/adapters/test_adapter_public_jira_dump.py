"""Public Jira from the dump: the same windows as from the normalised form."""

import contextlib
import gzip
import io
import json
import struct

import bson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bson import Binary, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import SourceFile, parse_block
from jepa_ray.adapters.jira_document import reference_issue
from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.block import process_block, raw_table
from jepa_ray.readers import BsonError, RawItem
from jepa_ray.synth import synthesize
from jepa_ray.synth.mongodump import ArchiveWriter
from jepa_ray.windows import INDEX, record_windows, window_table

ADAPTER = PublicJira(PrepareConfig())
FIELDS = {
    "customfield_1": None,
    "created": "2014-05-02T06:48:12.270-0500",
    "summary": "12345",
    "customfield_2": {"created": "1999-01-01", "fields": []},
    "duedate": "2014-05-02",
    "description": "67890",
    "labels": ["a"],
}
HIT = {
    "_id": ObjectId(b"0" * 12), "expand": "changelog", "id": "16833", "self": "https://j/16833",
    "key": "DS-1", "fields": FIELDS, "changelog": {"histories": [{"id": "1", "key": "inside"}]},
}  # fmt: skip
ISSUE = {
    "id": "Duraspace:16833", "key": "DS-1", "created": "2014-05-02T06:48:12",
    "dueDate": "2014-05-02", "summary": "12345", "description": "67890",
}  # fmt: skip


def hit(**fields):
    return bson.encode(HIT | {"fields": FIELDS | fields})


def parse(document, namespace="JiraReposAnon.Duraspace"):
    return ADAPTER.parse("d.archive", [RawItem(7, namespace, document)])


def issue(**fields):
    return reference_issue("JiraReposAnon.Duraspace", hit(**fields))


def table(batch):
    return window_table("public_jira", batch.kind, batch.columns, record_windows(batch.columns))


def nested(levels):
    """A document whose description has so many levels."""
    data = b"\x05\0\0\0\0"
    for _ in range(levels):
        data = struct.pack("<i", len(data) + 14) + b"\x03content\0" + data + b"\0"
    return hit(description=RawBSONDocument(data))


def test_a_document_becomes_the_reference_form():
    assert issue() == ISSUE


def test_a_document_and_its_line_give_the_same_window():
    line = json.dumps(ISSUE).encode()
    assert table(parse(hit())).equals(table(ADAPTER.parse("x", [RawItem(1, "", line)])))


def test_the_jira_is_the_collection_whatever_dots_it_has():
    assert reference_issue("db.My.Jira", hit())["id"] == "My.Jira:16833"


@pytest.mark.parametrize(
    ("stamp", "created"),
    [
        ("2014-05-02T06:48:12.000+0000", "2014-05-02T06:48:12"),
        ("2014-05-02T06:48:12Z", "2014-05-02T06:48:12"),
        ("2014-05-02T06:48:12.1+05:30", "2014-05-02T06:48:12"),
        ("2014-05-02", "2014-05-02"),
        ("May 2", "May 2"),
        ("", ""),
        (None, None),
        (DatetimeMS(1_399_013_292_270), "2014-05-02T06:48:12"),
        (DatetimeMS(-(2**62)), str(-(2**62))),
        (5, 5),
    ],
)
def test_a_stamp_keeps_its_own_clock_to_the_second(stamp, created):
    assert issue(created=stamp)["created"] == created


@pytest.mark.parametrize(
    ("number", "source_id"),
    [("5", "Duraspace:5"), (5, "Duraspace:5"), (Int64(5), "Duraspace:5"), ("", None), (None, None),
     (True, None), (1.5, None), ({}, None)],
)  # fmt: skip
def test_an_id_is_a_text_or_a_number(number, source_id):
    found = reference_issue("JiraReposAnon.Duraspace", bson.encode(HIT | {"id": number}))
    assert found["id"] == source_id


DOCUMENT = {
    "type": "doc",
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "1234"}, 5, None]}],
}


@pytest.mark.parametrize(
    ("description", "chars"),
    [(None, 5), (DOCUMENT, 9), (5, 5), ([], 5), ("a\0b", 8), ("é" * 5, 10), (ObjectId(), 5),
     (Binary(b"\xff", 4), 5), ({"text": ObjectId()}, 5)],
)  # fmt: skip
def test_any_description_is_measured(description, chars):
    batch = parse(hit(description=description))
    assert batch.rejected == []
    assert round(float(batch.columns.values[0, INDEX["text_length"] - 2]) * 5000) == chars


@pytest.mark.parametrize(
    "document",
    [{}, {"_id": 1}, {"key": "DS-1"}, {"fields": {}}, {"key": 5, "fields": {}},
     {"key": "DS-1", "fields": None}, {"key": "DS-1", "fields": []}],
)  # fmt: skip
def test_a_document_without_key_or_fields_is_a_named_skip(document):
    batch = parse(bson.encode(document))
    assert (batch.records, batch.skipped, batch.rejected) == (1, {"not_an_issue": 1}, [])


@pytest.mark.parametrize(
    ("document", "slug"),
    [
        (hit()[:-1] + b"\x01", "malformed_document"),
        (b"\x32\0\0\0" + hit()[4:50], "malformed_document"),
        (hit().replace(b"12345", b"12\xff45"), "malformed_document"),
        (hit(description=b"").replace(b"\x05description\0", b"\x04description\0"),
         "malformed_document"),
        (hit(description={"a": 1}).replace(b"\x10a\0", b"\x99a\0"), "malformed_document"),
        (nested(1000), "malformed_document"),
        (hit(created=None), "missing_field"),
        (hit(created=5), "missing_field"),
        (hit(created="soon"), "bad_time"),
        (hit(duedate="soon"), "bad_time"),
        (hit(created="0014-05-02T06:48:12Z"), "implausible_date"),
        (bson.encode(HIT | {"id": None}), "missing_field"),
    ],
)  # fmt: skip
def test_a_bad_document_is_rejected_with_its_number(document, slug):
    assert [(r.locator, r.slug) for r in parse(document).rejected] == [("d.archive#7", slug)]


def test_what_lies_in_unused_fields_does_not_matter():
    document = bson.encode(HIT | {"changelog": b"\xff", "fields": FIELDS | {"x": {"a": 1}}})
    assert table(parse(document.replace(b"\x10a\0", b"\x99a\0"))).equals(table(parse(hit())))


@given(st.data())
def test_no_damage_raises(data):
    damaged = bytearray(hit(description=DOCUMENT))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert parse(bytes(damaged)).records == 1


@given(st.binary(max_size=100))
def test_no_bytes_raise(content):
    parse(content)
    parse(struct.pack("<i", len(content) + 5) + content + b"\0")
    with contextlib.suppress(BsonError):
        reference_issue("a.b", hit(description={"a": "x" * 100}).replace(b"x" * 100, content))


def write_archive(path, *segments, packed=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    names = list(dict.fromkeys(name for name, _ in segments))
    archive = ArchiveWriter(out.write, "JiraReposAnon", names)
    for name, documents in segments:
        archive.segment(name, b"".join(documents))
    for name in names:
        archive.end(name)
    path.write_bytes(gzip.compress(out.getvalue()) if packed else out.getvalue())


def outcome(root, adapter=ADAPTER):
    """Everything below a root, parsed."""
    return [
        parse_block(adapter, file.label, block)
        for shard in adapter.shards(root)
        for file in shard.files
        for block in adapter.blocks(file)
    ]


@pytest.mark.parametrize(
    ("name", "packed"),
    [("d.archive", True), ("d.archive", False), ("d.archive.gz", True), ("d.archive.gz", False)],
)
def test_an_archive_is_read_whatever_its_name_says_of_compression(tmp_path, name, packed):
    segments = [("A", [hit()]), ("B", [hit(), bson.encode({})]), ("A", [hit()])]
    write_archive(tmp_path / "public_jira" / name, *segments, packed=packed)
    (batch,) = outcome(tmp_path)
    assert (batch.records, len(batch.columns), batch.skipped) == (4, 3, {"not_an_issue": 1})
    assert len(set(batch.columns.source_id)) == 2  # A's two have the same number


def test_a_folder_of_bson_files_is_a_shard_a_file(tmp_path):
    folder = tmp_path / "public_jira" / "dump" / "JiraReposAnon"
    folder.mkdir(parents=True)
    (folder / "A.bson").write_bytes(hit() + hit())
    (folder / "B%2Ex.bson.gz").write_bytes(gzip.compress(hit()))
    (folder / "C.bson").write_bytes(b"")
    (folder / "A.metadata.json").write_text("{}")
    assert [s.files[0].path.name for s in ADAPTER.shards(tmp_path)] == [
        "A.bson", "B%2Ex.bson.gz", "C.bson",
    ]  # fmt: skip
    batches = outcome(tmp_path)
    assert sum(b.records for b in batches) == 3
    archive = tmp_path / "other" / "public_jira" / "d.archive"
    write_archive(archive, ("A", [hit(), hit()]), ("B.x", [hit()]))
    (whole,) = outcome(tmp_path / "other")
    assert [i for b in batches for i in b.columns.source_id] == whole.columns.source_id


def test_a_dot_in_the_name_of_the_folder_changes_nothing(tmp_path):
    for name in ("JiraReposAnon", "JiraRepos_2022.03"):
        folder = tmp_path / name / "public_jira" / "dump" / name
        folder.mkdir(parents=True)
        (folder / "A.bson").write_bytes(hit())
    first, second = [outcome(tmp_path / name)[0] for name in ("JiraReposAnon", "JiraRepos_2022.03")]
    assert table(first).equals(table(second))


def test_an_archive_and_a_folder_agree_whatever_dots_the_names_have(tmp_path):
    folder = tmp_path / "folder" / "public_jira" / "dump" / "Jira.2022"
    folder.mkdir(parents=True)
    (folder / "A%2Ex.bson").write_bytes(hit())
    path = tmp_path / "archive" / "public_jira" / "d.archive"
    path.parent.mkdir(parents=True)
    out = io.BytesIO()
    writer = ArchiveWriter(out.write, "Jira.2022", ["A.x"])
    writer.segment("A.x", hit())
    writer.end("A.x")
    path.write_bytes(out.getvalue())
    (one,), (other,) = outcome(tmp_path / "folder"), outcome(tmp_path / "archive")
    assert table(one).equals(table(other))


def test_the_normalised_form_wins_over_an_archive_and_that_over_a_folder(tmp_path):
    folder = tmp_path / "public_jira"
    (folder / "dump" / "J").mkdir(parents=True)

    def found():
        return [f.path.name for s in ADAPTER.shards(tmp_path) for f in s.files]

    assert found() == []
    (folder / "dump" / "J" / "A.bson").write_bytes(hit())
    assert found() == ["A.bson"]
    (folder / "d.archive").write_bytes(b"")
    assert found() == ["d.archive"]
    (folder / "x.normalized.jsonl.gz").write_bytes(b"")
    assert found() == ["x.normalized.jsonl.gz"]


def test_a_file_of_deadlines_is_no_source(tmp_path):
    folder = tmp_path / "public_jira"
    folder.mkdir()
    (folder / "d.archive").write_bytes(b"x")
    for name in ("x.deadlines.jsonl.gz", "x.deadlines.jsonl", "x.deadlines.jsonl.zst"):
        (folder / name).write_bytes(b"x")
    files = [file.path.name for shard in ADAPTER.shards(tmp_path) for file in shard.files]
    assert files == ["d.archive"]


def test_a_damaged_archive_is_in_the_quarantine_and_its_documents_are_windows(tmp_path):
    path = tmp_path / "public_jira" / "d.archive"
    write_archive(path, ("A", [hit(), hit(summary="other")]), packed=False)
    path.write_bytes(path.read_bytes().replace(b"other", b"OTHER"))
    (batch,) = outcome(tmp_path)
    assert (len(batch.columns), [r.slug for r in batch.rejected]) == (2, ["crc_mismatch"])
    assert "JiraReposAnon.A" in batch.rejected[0].detail


def test_a_document_above_the_limit_is_in_the_quarantine(tmp_path):
    write_archive(tmp_path / "public_jira" / "d.archive", ("A", [hit(summary="x" * 9999), hit()]))
    (batch,) = outcome(tmp_path, PublicJira(PrepareConfig(max_record_bytes=5000)))
    assert [(r.locator, r.slug) for r in batch.rejected] == [
        ("public_jira/d.archive#1", "record_too_large")
    ]
    assert len(batch.columns) == 1


def windows(root, out, block_bytes=1 << 16):
    """All windows that the tasks of prepare write, by uid; without Ray."""
    adapter = PublicJira(PrepareConfig(raw_block_bytes=block_bytes))
    for shard in adapter.shards(root):
        for i, file in enumerate(shard.files):
            for block in adapter.blocks(file):
                rows = raw_table(shard.index, i, file.label, block)
                process_block(adapter, rows, target=str(out), key="k")
    parts = [pq.read_table(path) for path in sorted((out / "windows").glob("*.parquet"))]
    return pa.concat_tables(parts).sort_by("window_uid")


def test_either_form_of_the_same_issues_gives_the_same_windows(tmp_path):
    records = 700
    synthesize("public_jira_dump", tmp_path / "dump", seed=3, records=records)
    synthesize("public_jira", tmp_path / "lines", seed=3, records=records)
    dump = windows(tmp_path / "dump", tmp_path / "a")
    lines = windows(tmp_path / "lines", tmp_path / "b")
    kept = set(dump["window_uid"].to_pylist())
    assert records - 10 < len(kept) == len(dump) < records  # without those that are no issues
    same = lines.filter(pa.array([uid in kept for uid in lines["window_uid"].to_pylist()]))
    assert dump.equals(same)


def test_the_size_of_blocks_changes_nothing(tmp_path):
    synthesize("public_jira_dump", tmp_path / "dump", seed=3, records=100)
    small = windows(tmp_path / "dump", tmp_path / "a", 1 << 12)
    assert small.equals(windows(tmp_path / "dump", tmp_path / "b", 1 << 24))


def test_an_absent_file_is_left_to_prepare(tmp_path):
    file = SourceFile(tmp_path / "x.archive", "x", 0)
    with pytest.raises(FileNotFoundError):
        next(ADAPTER.blocks(file))
