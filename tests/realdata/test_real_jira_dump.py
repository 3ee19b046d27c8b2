"""The archive reader on a real archive, and real issues put into one."""

import gzip
import io
import json
import tarfile
from operator import itemgetter

import bson
import pytest

from jepa_ray.adapters.jira_normalize import normalize_jira
from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.evaluate.probes.delayed_jira import followed, read_deadlines
from jepa_ray.readers import InputStream, MongoArchive, Namespace, RawItem
from jepa_ray.synth.mongodump import ArchiveWriter
from jepa_ray.windows import ActivityBatch, record_windows, window_table

pytestmark = pytest.mark.realdata

ADAPTER = PublicJira(PrepareConfig())


def test_the_checksums_of_a_real_archive_are_right(real_data):
    with (real_data / "public_jira" / "mongodump_example.archive").open("rb") as raw:
        archive = MongoArchive(InputStream(raw), max_document_bytes=1 << 20)
        outcomes = list(archive.outcomes())
    assert all(isinstance(outcome, RawItem) for outcome in outcomes)
    assert len([bson.decode(item.data) for item in outcomes]) == 44
    assert archive.namespaces == {
        "test.foo": Namespace(25, True),
        ".oplog": Namespace(18, True),
        "admin.system.version": Namespace(1, True),
    }


def test_the_normalised_form_is_taken_where_an_archive_lies_beside_it(real_data):
    files = [file.path.name for shard in ADAPTER.shards(real_data) for file in shard.files]
    assert files == ["public_jira.normalized.jsonl.gz"]


def issues(real_data):
    """Real search hits, each as raw BSON."""
    path = real_data / "public_jira" / "rest" / "Duraspace_jira_rest.tar.gz"
    with tarfile.open(path) as members:
        for member in members:
            if member.name.endswith("_CL.json"):
                data = members.extractfile(member).read()
                try:
                    text = data.decode()
                except UnicodeDecodeError:
                    text = data.decode("cp1252")
                yield bson.encode(json.loads(text))


def rows(batch):
    table = window_table("public_jira", batch.kind, batch.columns, record_windows(batch.columns))
    return {row["window_uid"]: row for row in table.to_pylist()}


def test_real_issues_give_the_windows_of_the_normalised_form(real_data, tmp_path):
    out = io.BytesIO()
    archive = ArchiveWriter(out.write, "JiraReposAnon", ["Duraspace"])
    documents = list(issues(real_data))
    for first in range(0, len(documents), 100):
        archive.segment("Duraspace", b"".join(documents[first : first + 100]))
    archive.end("Duraspace")
    (tmp_path / "public_jira").mkdir()
    (tmp_path / "public_jira" / "d.archive").write_bytes(out.getvalue())
    dump, lines = (
        ActivityBatch.join(
            ADAPTER.kind,
            [
                ADAPTER.parse(file.label, block)
                for shard in ADAPTER.shards(root)
                for file in shard.files
                for block in ADAPTER.blocks(file)
            ],
        )
        for root in (tmp_path, real_data)
    )
    found, expected = rows(dump), rows(lines)
    assert len(found) == len(documents) == 3036
    assert all(expected[uid] == row for uid, row in found.items())


def written(source, out, **form):
    normalize_jira(source, out, **form)
    return [json.loads(line) for line in gzip.decompress(out.read_bytes()).splitlines()]


def test_answers_of_the_api_are_normalised_as_they_were_in_the_reference_run(real_data, tmp_path):
    jira = real_data / "public_jira"
    found = []
    for source in (jira / "rest").iterdir():
        found += written(source, tmp_path / f"{source.name}.jsonl.gz")
    with gzip.open(jira / "public_jira.normalized.jsonl.gz") as lines:
        expected = [json.loads(line) for line in lines]
    assert sorted(found, key=itemgetter("id")) == sorted(expected, key=itemgetter("id"))


def test_deadlines_of_real_issues(real_data, tmp_path):
    """A tenth of these issues have, or had, a due date; most were late."""
    source = real_data / "public_jira" / "rest" / "Duraspace_jira_rest.tar.gz"
    found = written(source, tmp_path / "d.deadlines.jsonl.gz", deadlines=True)
    assert len(found) == 293
    assert sum(line["dueSet"] > line["created"] for line in found) == 49
    table = read_deadlines(str(tmp_path))
    assert table.left_out == {"over_when_set": 4}
    assert [sum(issue.delay >= days for issue in table.issues) for days in (0, 1, 90)] == [
        289, 200, 65,
    ]  # fmt: skip
    assert len(followed(table, 90).issues) == 289
