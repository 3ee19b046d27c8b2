import gzip
import itertools
from collections import Counter

import bson
import pytest

from jepa_ray.readers import GZIP, InputStream, MongoArchive
from jepa_ray.synth import synthesize

RECORDS = 1500
NAME = "public_jira/mongodump-JiraRepos.archive"


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    root = tmp_path_factory.mktemp("dump")
    assert synthesize("public_jira_dump", root, seed=7, records=RECORDS) == RECORDS
    with (root / NAME).open("rb") as raw:
        archive = MongoArchive(InputStream(raw, codec=GZIP), max_document_bytes=16 << 20)
        outcomes = list(archive.outcomes())
    return outcomes, archive.namespaces


@pytest.fixture(scope="module")
def hits(dump):
    documents = [bson.decode(item.data) for item in dump[0]]
    return [document for document in documents if "fields" in document]


def test_all_documents_are_there_with_right_checksums(dump):
    outcomes, namespaces = dump
    assert len(outcomes) == RECORDS == sum(found.documents for found in namespaces.values())
    assert len(namespaces) == 3
    assert all(found.crc_ok for found in namespaces.values())


def test_the_collections_are_interleaved(dump):
    names = [item.name for item in dump[0]]
    changes = sum(a != b for a, b in itertools.pairwise(names))
    assert changes > 20


def test_a_hit_has_the_form_of_the_true_ones(hits):
    assert list(hits[0]) == ["_id", "expand", "id", "self", "key", "fields", "changelog"]
    assert {len(hit["fields"]) for hit in hits} == {65, 180, 516}
    nulls = [sum(v is None for v in hit["fields"].values()) / len(hit["fields"]) for hit in hits]
    assert sum(nulls) / len(nulls) > 0.5
    for hit in hits:
        for history in hit["changelog"]["histories"]:
            assert {"id", "author", "created", "items"} == set(history)
            assert all({"field", "fromString", "toString"} <= set(i) for i in history["items"])


def test_a_few_documents_are_no_issues(dump, hits):
    assert 0 < len(dump[0]) - len(hits) < 0.02 * RECORDS


def test_stamps_have_milliseconds_and_an_offset_by_jira(hits):
    offsets = Counter(hit["fields"]["created"][23:] for hit in hits)
    assert set(offsets) == {"+0000", "-0500", "+0200"}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        synthesize("public_jira_dump", tmp_path / name, seed=seed, records=50)
    a, b, c = ((tmp_path / name / NAME).read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert gzip.decompress(a)


@pytest.mark.parametrize("records", [1, 2, 3, 7])
def test_any_number_of_records_is_written(tmp_path, records):
    synthesize("public_jira_dump", tmp_path, seed=1, records=records)
    with (tmp_path / NAME).open("rb") as raw:
        archive = MongoArchive(InputStream(raw, codec=GZIP), max_document_bytes=16 << 20)
        assert len(list(archive.outcomes())) == records
