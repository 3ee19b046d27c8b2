"""`jepa-ray normalize-jira`: the dump as JSON lines."""

import gzip
import io
import json
import re
import struct
import tarfile

import bson
import pytest

from jepa_ray.adapters import jira_normalize
from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import StageError
from jepa_ray.synth import synthesize
from jepa_ray.synth.mongodump import ArchiveWriter
from jepa_ray.windows import ActivityBatch

CLOUD = {"type": "doc", "content": [{"type": "text", "text": "secret", "marks": [{"a": "b"}]}]}


def hit(number, **fields):
    found = {"created": "2014-05-02T06:48:12.270-0500", "summary": "secret", "duedate": None}
    return bson.encode({"id": str(number), "key": f"DS-{number}", "fields": found | fields})


def archive(path, **collections):
    out = io.BytesIO()
    writer = ArchiveWriter(out.write, "db", collections)
    for name, documents in collections.items():
        writer.segment(name, b"".join(documents))
        writer.end(name)
    path.write_bytes(out.getvalue())
    return path


def lines(path):
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def columns(root):
    """What an adapter makes of a data root."""
    adapter = PublicJira(PrepareConfig())
    batches = [
        adapter.parse(file.label, block)
        for shard in adapter.shards(root)
        for file in shard.files
        for block in adapter.blocks(file)
    ]
    found = ActivityBatch.join(adapter.kind, batches).columns
    return list(found.source_id), found.start_us.tolist(), found.values.tolist()


def test_every_issue_is_a_line_of_the_reference_form(command, tmp_path):
    source = archive(tmp_path / "d.archive", A=[hit(1), bson.encode({"x": 1})], B=[hit(1)])
    found = command("normalize-jira", source, tmp_path / "new" / "o.jsonl.gz", "--json")
    assert (found.code, found.err) == (0, "")
    assert found.json == {
        "records": 2,
        "skipped": {"not_an_issue": 1},
        "rejected": {},
        "namespaces": {
            "db.A": {"documents": 2, "crc_ok": True},
            "db.B": {"documents": 1, "crc_ok": True},
        },
    }
    written = lines(tmp_path / "new" / "o.jsonl.gz")
    assert written[0] == {
        "id": "A:1", "key": "DS-1", "created": "2014-05-02T06:48:12", "dueDate": None,
        "summary": "secret", "description": None,
    }  # fmt: skip
    assert [issue["id"] for issue in written] == ["A:1", "B:1"]


def test_without_json_it_shows_a_table(command, tmp_path):
    source = archive(tmp_path / "d.archive", A=[hit(1), bson.encode({})])
    found = command("normalize-jira", source, tmp_path / "o.jsonl.gz")
    assert found.code == 0
    assert "1 issues written" in found.out
    assert "db.A" in found.out
    assert "skipped: 1 not_an_issue" in found.out


def test_the_lines_give_the_windows_that_the_dump_gives(command, tmp_path):
    synthesize("public_jira_dump", tmp_path / "dump", seed=5, records=60)
    (source,) = (tmp_path / "dump" / "public_jira").iterdir()
    out = tmp_path / "lines" / "public_jira" / "x.normalized.jsonl.gz"
    assert command("normalize-jira", source, out, "--json").json["records"] == 57
    assert columns(tmp_path / "dump") == columns(tmp_path / "lines")


def test_redacted_text_has_its_length_and_nothing_else(command, tmp_path):
    documents = [hit(1, description="secret"), hit(2, description=CLOUD), hit(3, description=["s"])]
    (tmp_path / "public_jira").mkdir()
    source = archive(tmp_path / "public_jira" / "d.archive", A=documents)
    out = tmp_path / "o" / "public_jira" / "o.jsonl.gz"
    assert command("normalize-jira", source, out, "--redact-text").code == 0
    assert b"secret" not in gzip.decompress(out.read_bytes())
    for issue in lines(out):
        assert re.fullmatch(r"[x.]{6}", issue["summary"])
    assert columns(tmp_path) == columns(tmp_path / "o")


def test_redacted_text_says_nothing_of_the_text_and_is_the_same_each_time(tmp_path):
    outs = []
    for word in ("secret", "hidden"):
        source = archive(tmp_path / f"{word}.archive", A=[hit(1, summary=word * 9), hit(2)])
        outs += [tmp_path / f"{word}{n}.jsonl.gz" for n in (1, 2)]
        for out in outs[-2:]:
            jira_normalize.normalize_jira(source, out, redact_text=True)
    assert len({out.read_bytes() for out in outs}) == 1


def test_much_redacted_text_is_read_back_and_read_by_prepare(tmp_path):
    (tmp_path / "public_jira").mkdir()
    documents = [hit(n, description=f"secret {n}" * 2500) for n in range(3000)]
    source = archive(tmp_path / "d.archive", A=documents)
    out = tmp_path / "public_jira" / "o.jsonl.gz"
    assert jira_normalize.normalize_jira(source, out, redact_text=True).records == 3000
    found, _, _ = columns(tmp_path)
    assert len(found) == 3000


def test_text_that_repeats_is_written_and_read_back_as_it_is(tmp_path):
    source = archive(
        tmp_path / "d.archive", A=[hit(n, description="x" * 90_000) for n in range(1000)]
    )
    out = tmp_path / "o.jsonl.gz"
    assert jira_normalize.normalize_jira(source, out).records == 1000


@pytest.mark.parametrize("field", ["created", "duedate"])
@pytest.mark.parametrize(
    "value", ["call Jane Roe", {"by": "Jane Roe"}, ["Jane Roe"], 5, "2020-01-01 call Jane Roe"]
)
def test_a_redacted_issue_whose_time_is_something_else_is_rejected(command, tmp_path, field, value):
    (tmp_path / "public_jira").mkdir()
    documents = [hit(1, **{field: value}), hit(2, created=None), hit(3, duedate="2020-05-02")]
    source = archive(tmp_path / "public_jira" / "d.archive", A=documents)
    out = tmp_path / "o" / "public_jira" / "o.jsonl.gz"
    found = command("normalize-jira", source, out, "--redact-text", "--json")
    assert (found.code, found.json["records"], found.json["rejected"]) == (0, 2, {"bad_time": 1})
    assert b"Jane" not in gzip.decompress(out.read_bytes())
    assert columns(tmp_path) == columns(tmp_path / "o")


def test_a_wrong_checksum_fails_by_name_after_all_is_written(command, tmp_path):
    source = archive(tmp_path / "d.archive", A=[hit(1)], B=[hit(2)])
    source.write_bytes(source.read_bytes().replace(b"DS-2", b"DS-9"))
    out = tmp_path / "o.jsonl.gz"
    found = command("normalize-jira", source, out, "--json")
    assert found.code == 1
    assert "crc_mismatch: 'db.B'" in found.err
    assert "Traceback" not in found.err
    assert found.json["namespaces"]["db.B"] == {"documents": 1, "crc_ok": False}
    assert found.json["rejected"] == {"crc_mismatch": 1}
    assert [issue["key"] for issue in lines(out)] == ["DS-1", "DS-9"]


def test_an_archive_of_no_jira_is_refused(command, tmp_path):
    source = answers(tmp_path / "_rest.tar.gz", {"comments": []})
    found = command("normalize-jira", source, tmp_path / "o.jsonl.gz")
    assert found.code == 2
    assert "has to begin with the name of the Jira" in found.err


def test_a_cut_archive_fails_after_what_is_readable_is_written(command, tmp_path):
    source = archive(tmp_path / "d.archive", A=[hit(1)], B=[hit(2)])
    source.write_bytes(source.read_bytes()[:-100])
    found = command("normalize-jira", source, tmp_path / "o.jsonl.gz", "--json")
    assert found.code == 1
    assert lines(tmp_path / "o.jsonl.gz")[0]["id"] == "A:1"
    assert found.json["namespaces"]["db.B"]["crc_ok"] is None


def test_a_document_that_is_no_bson_is_counted_and_no_failure(command, tmp_path):
    bad = struct.pack("<i", 9) + b"\x99abc\0"
    source = archive(tmp_path / "d.archive", A=[bad, hit(1)])
    found = command("normalize-jira", source, tmp_path / "o.jsonl.gz", "--json")
    assert (found.code, found.json["records"]) == (0, 1)
    assert found.json["rejected"] == {"malformed_document": 1}


def test_a_folder_of_bson_files_has_no_checksums(command, tmp_path):
    folder = tmp_path / "dump" / "db"
    folder.mkdir(parents=True)
    (folder / "A.bson").write_bytes(hit(1))
    (folder / "B.bson.gz").write_bytes(gzip.compress(hit(2)))
    (folder / "A.metadata.json").write_text("{}")
    (folder / "C.bson").mkdir()
    found = command("normalize-jira", tmp_path / "dump", tmp_path / "o.jsonl.gz", "--json")
    assert found.code == 0
    assert found.json["namespaces"]["db.A"] == {"documents": 1, "crc_ok": None}
    assert [issue["id"] for issue in lines(tmp_path / "o.jsonl.gz")] == ["A:1", "B:2"]


@pytest.mark.parametrize(
    ("source", "out", "said"),
    [
        ("none.archive", "o.jsonl.gz", "nothing at"),
        ("foreign", "o.jsonl.gz", "does not begin as an archive"),
        ("folder", "o.jsonl.gz", "holds no .bson"),
        ("foreign", "o.json", "does not end in .jsonl.gz"),
        ("folder/A.bson", "foreign/o.jsonl.gz", "can be written to"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(command, tmp_path, source, out, said):
    (tmp_path / "foreign").write_text("something else")
    (tmp_path / "folder").mkdir()
    if source.endswith(".bson"):
        (tmp_path / source).write_bytes(hit(1))
    found = command("normalize-jira", tmp_path / source, tmp_path / out)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "foreign"]


def test_an_older_file_stays_where_writing_fails(tmp_path, monkeypatch):
    source = archive(tmp_path / "d.archive", A=[hit(1)])
    out = tmp_path / "o.jsonl.gz"
    out.write_bytes(b"older")
    monkeypatch.setattr(jira_normalize, "_count_lines", lambda _: 0)
    with pytest.raises(StageError, match="did not read back"):
        jira_normalize.normalize_jira(source, out)
    assert out.read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 2


def test_the_same_dump_gives_the_same_bytes(tmp_path):
    source = archive(tmp_path / "d.archive", A=[hit(1), hit(2)])
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        jira_normalize.normalize_jira(source, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


CHANGELOG = {"histories": [{"created": "2014-05-03T10:00:00.000+0000", "items": []}]}
DUE = {"duedate": "2014-05-09", "resolutiondate": "2014-05-20T10:00:00.000+0000"}


def with_history(number, **fields):
    return bson.encode(bson.decode(hit(number, **fields)) | {"changelog": CHANGELOG})


def answers(path, *documents):
    """An archive of answers of the API."""
    with tarfile.open(path, "w:gz") as archive:
        for n, document in enumerate(documents):
            data = json.dumps(document).encode()
            member = tarfile.TarInfo(f"J/{n}_CL.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_deadlines_are_those_of_issues_that_ever_had_one_and_hold_no_text(command, tmp_path):
    documents = [with_history(1, **DUE), with_history(2), hit(3, **DUE), bson.encode({"x": 1})]
    source = archive(tmp_path / "d.archive", A=documents)
    out = tmp_path / "o.deadlines.jsonl.gz"
    found = command("normalize-jira", source, out, "--deadlines", "--json")
    assert (found.code, found.json["records"]) == (0, 1)
    assert found.json["skipped"] == {"never_due": 1, "no_changelog": 1, "not_an_issue": 1}
    (line,) = lines(out)
    assert (line["id"], line["dueDate"], line["chars"]) == ("A:1", "2014-05-09", 6)
    assert "secret" not in json.dumps(line)


def test_answers_of_the_api_are_written_in_either_form(command, tmp_path):
    documents = [bson.decode(with_history(1, **DUE)), {"comments": []}, {"key": 3}]
    source = answers(tmp_path / "Dura_rest.tar.gz", *documents)
    out = tmp_path / "o.normalized.jsonl.gz"
    found = command("normalize-jira", source, out, "--json")
    assert found.code == 0
    assert found.json == {
        "records": 1,
        "skipped": {"comments_of_an_issue": 1},
        "rejected": {"missing_field": 1},
        "namespaces": {"Dura": {"documents": 3, "crc_ok": None}},
    }
    assert lines(out)[0] == {
        "id": "Dura:1", "key": "DS-1", "created": "2014-05-02T06:48:12", "dueDate": "2014-05-09",
        "summary": "secret", "description": None,
    }  # fmt: skip
    out = tmp_path / "o.deadlines.jsonl.gz"
    assert command("normalize-jira", source, out, "--deadlines").code == 0
    assert lines(out)[0]["id"] == "Dura:1"


def test_a_cut_archive_of_answers_is_told_after_what_could_be_read(command, tmp_path):
    source = answers(tmp_path / "D.tar.gz", *(bson.decode(hit(n)) for n in range(500)))
    source.write_bytes(source.read_bytes()[:-2000])
    out = tmp_path / "o.jsonl.gz"
    found = command("normalize-jira", source, out)
    assert found.code == 1
    assert "truncated_stream" in found.err
    assert 0 < len(lines(out)) < 500


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("o.jsonl.gz", ["--deadlines"], "does not end in .deadlines.jsonl.gz"),
        ("o.deadlines.jsonl.gz", [], "is a name for deadlines: add --deadlines"),
    ],
)
def test_a_form_has_its_own_name(command, tmp_path, name, more, said):
    source = archive(tmp_path / "d.archive", A=[hit(1)])
    found = command("normalize-jira", source, tmp_path / name, *more)
    assert found.code == 2
    assert said in found.err


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (hit(1, **DUE), "without their whole changelogs"),
        (with_history(1, duedate="soon"), "no issue that can be read: {'bad_time': 1}"),
        (with_history(1), "no issue that ever had a due date"),
        (bson.encode({"x": 1}), "holds no issue: is it"),
    ],
)
def test_why_there_is_no_deadline_is_told(command, tmp_path, document, said):
    source = archive(tmp_path / "d.archive", A=[document])
    found = command("normalize-jira", source, tmp_path / "o.deadlines.jsonl.gz", "--deadlines")
    assert found.code == 0
    assert said in found.err
