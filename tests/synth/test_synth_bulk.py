"""Pieces of large archives: determinism, the account of each defect, statistics, framing."""

import gzip
import io
import json
import tarfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import bson
import pytest
from fastcrc import crc64
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.bulk.files import written
from jepa_ray.synth.bulk import (
    BULK,
    Checksum,
    Order,
    gharchive_defects,
    jira,
    jira_defects,
    mail_defects,
    make,
    plan,
    records_of,
)
from jepa_ray.synth.bulk.crc64 import combine
from tests.synth.read_back import ReadBack, read_back

_DEFECTS = [
    ("gharchive", gharchive_defects, index) for index in range(len(gharchive_defects._DEFECTS))
]
_DEFECTS += [("enron_maildir", mail_defects, i) for i in range(len(mail_defects._DEFECTS))]
_DEFECTS += [("public_jira", jira_defects, i) for i in range(len(jira_defects._DEFECTS))]


def write(order: Order, root: Path) -> dict:
    return written(order, root, lambda pieces: map(make, pieces), lambda *_: None)


def account(found: ReadBack) -> dict:
    return {
        "records": found.records,
        "windows": found.windows,
        "skipped": dict(found.skipped),
        "quarantined": dict(Counter(rejected.slug for rejected in found.quarantined)),
    }


def assert_as_expected(order: Order, root: Path) -> None:
    expected = write(order, root)
    assert expected["records"] == order.records
    found = account(read_back(order.dataset, root))
    assert found == {name: expected[name] for name in found}


@pytest.fixture
def small_pieces(monkeypatch):
    """Several pieces and files where there is little."""
    monkeypatch.setattr(plan, "_PIECE_BYTES", 1 << 20)
    monkeypatch.setattr(plan, "_EVENTS_AN_HOUR", 1000)


def raw(root: Path) -> dict[str, bytes]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): gzip.decompress(path.read_bytes()) for path in paths}


@pytest.mark.parametrize("dataset", BULK)
@pytest.mark.parametrize("seed", range(4))
def test_the_adapter_finds_what_is_expected_to_the_record(dataset, seed, tmp_path, small_pieces):
    assert_as_expected(Order(dataset, seed, 900 + seed, 0.05), tmp_path)


@pytest.mark.parametrize("dataset", BULK)
@pytest.mark.parametrize(("records", "defects"), [(1, 0.0), (1, 1.0), (700, 0.0), (700, 1.0)])
def test_so_it_does_at_the_limits(dataset, records, defects, tmp_path, small_pieces):
    assert_as_expected(Order(dataset, 5, records, defects), tmp_path)


@pytest.mark.parametrize(("dataset", "module", "index"), _DEFECTS)
def test_each_kind_of_defect_has_its_outcome(dataset, module, index, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_DEFECTS", module._DEFECTS[index : index + 1])
    assert_as_expected(Order(dataset, 6, 300, 0.3), tmp_path)


@pytest.mark.parametrize("dataset", BULK)
def test_a_piece_is_the_same_whoever_makes_it_and_when(dataset, small_pieces):
    pieces = [piece for file in Order(dataset, 3, 1200, 0.02).files() for piece in file.pieces]
    assert len(pieces) > 2
    forwards = [make(piece) for piece in pieces]
    assert [make(piece) for piece in reversed(pieces)] == forwards[::-1]
    assert len({packed.data for packed in forwards}) == len(pieces)


@pytest.mark.parametrize("dataset", BULK)
def test_another_seed_gives_another_archive(dataset, tmp_path):
    for seed in (1, 2):
        write(Order(dataset, seed, 50), tmp_path / str(seed))
    assert raw(tmp_path / "1") != raw(tmp_path / "2")


@pytest.mark.parametrize("dataset", BULK)
def test_a_size_is_met_within_a_few_per_cent(dataset, tmp_path):
    size = 40_000_000
    order = Order(dataset, 8, records_of(dataset, size))
    assert write(order, tmp_path)["raw_bytes"] == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize("dataset", BULK)
def test_raw_bytes_are_those_before_compression(dataset, tmp_path, small_pieces):
    found = write(Order(dataset, 8, 500), tmp_path)["raw_bytes"]
    assert found == sum(len(data) for data in raw(tmp_path).values())


def test_about_the_share_of_records_that_was_asked_for_has_a_defect(tmp_path):
    expected = write(Order("enron_maildir", 1, 5000, 0.04), tmp_path)
    assert sum(expected["quarantined"].values()) == pytest.approx(200, rel=0.2)


def test_gh_archive_is_as_the_sample_hour_is(tmp_path, small_pieces):
    write(Order("gharchive", 4, 3000), tmp_path)
    hours = raw(tmp_path)
    assert len(hours) > 3
    events = [json.loads(line) for data in hours.values() for line in data.splitlines()]
    assert {f"gharchive/{e['created_at'][:10]}-{int(e['created_at'][11:13])}.json.gz"
            for e in events} == set(hours)  # fmt: skip
    ids = [int(event["id"]) for event in events]
    assert len(set(ids)) == len(ids)
    falls = sum(b < a for a, b in pairwise(ids))
    assert 0 < falls < 0.02 * len(ids)
    assert 0.35 < len({e["actor"]["login"] for e in events}) / len(events) < 0.6
    assert 0.4 < len({e["repo"]["name"] for e in events}) / len(events) < 0.7
    assert 0.2 < sum("org" in e for e in events) / len(events) < 0.4
    assert all(e["org"]["login"] == e["repo"]["name"].split("/")[0] for e in events if "org" in e)
    assert Counter(e["type"] for e in events).most_common(1)[0][0] == "PushEvent"


def test_an_actor_has_one_account_number(tmp_path):
    write(Order("gharchive", 4, 3000), tmp_path)
    (data,) = raw(tmp_path).values()
    actors = {(a["id"], a["login"]) for a in (json.loads(x)["actor"] for x in data.splitlines())}
    assert len(actors) == len({login for _, login in actors}) == len({n for n, _ in actors})


def test_the_archive_of_mails_is_a_tar_whose_members_all_have_other_names(tmp_path, small_pieces):
    write(Order("enron_maildir", 4, 2000), tmp_path)
    (data,) = raw(tmp_path).values()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    files = [member.name for member in members if member.isfile()]
    assert len(files) == len(set(files)) == 2000
    folders = {member.name for member in members if member.isdir()}
    assert {name.rpartition("/")[0] for name in files} <= folders


def test_some_mails_stand_in_two_folders(tmp_path):
    write(Order("enron_maildir", 4, 2000), tmp_path)
    (data,) = raw(tmp_path).values()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        mails = [archive.extractfile(m).read() for m in archive.getmembers() if m.isfile()]
    numbers = [mail.partition(b"\n")[0] for mail in mails]
    assert len(set(numbers)) == len(mails)
    dates = Counter(mail.split(b"\n")[1] + mail.partition(b"X-Folder")[0][-200:] for mail in mails)
    assert 0.5 < len(dates) / len(mails) < 0.95


def test_documents_are_bson_with_the_fields_of_their_jira(tmp_path):
    order = Order("public_jira", 4, 400)
    write(order, tmp_path)
    adapter_items = read_items(tmp_path)
    ids = set()
    for name, data in adapter_items:
        collection, hit = name.partition(".")[2], bson.decode(data)
        assert len(hit["fields"]) == jira.COLLECTIONS[collection][0]
        assert hit["changelog"]["total"] == len(hit["changelog"]["histories"])
        assert hit["fields"]["comment"]["total"] == len(hit["fields"]["comment"]["comments"])
        ids.add((collection, hit["id"]))
    assert len(ids) == order.records
    assert {name for name, _ in ids} >= {"Lumora", "Pinewell"}


def read_items(root: Path) -> list[tuple[str, bytes]]:
    from jepa_ray.readers import GZIP, InputStream, MongoArchive

    with (root / jira.FILE_NAME).open("rb") as stream:
        archive = MongoArchive(InputStream(stream, codec=GZIP), max_document_bytes=16 << 20)
        return [(item.name, item.data) for item in archive.outcomes()]


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_checksums_are_put_together_without_the_bytes(first, second):
    def of(data: bytes) -> Checksum:
        return Checksum(crc64.xz(data), len(data))

    assert combine(of(first), of(second)) == of(first + second)
