"""Public Jira for `actor_day` windowing: what was done with an issue, by whom and when."""

import io
import json
import tarfile

import bson
import numpy as np
import pytest
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.synth import synthesize
from jepa_ray.windows import INDEX, NO_TIME, POSITIONS

ADAPTER = PublicJira(PrepareConfig(windowing="actor_day"))
LABEL = "public_jira/rest/Duraspace_jira_rest.tar.gz"
ADA, BOB, EVE = ({"name": name, "displayName": "x"} for name in ("ada", "bob", "eve"))
FIELDS = {
    "created": "2014-05-02T06:48:12.270-0500",
    "summary": "12345",
    "description": "67890",
    "priority": {"name": "Blocker"},
    "creator": ADA,
    "reporter": EVE,
    "assignee": BOB,
    "duedate": "2014-05-09",
    "resolutiondate": "2014-05-04T10:00:00.000+0000",
    "comment": {
        "comments": [{"author": BOB, "created": "2014-05-03T23:59:59.000+0200", "body": "x" * 50}]
    },
}
HISTORIES = [
    {"author": BOB, "created": "2014-05-03T10:00:00.000+0000", "items": [{"field": "status"}]},
    {"author": EVE, "created": "2014-05-04T10:00:00.400+0000", "items": [{"field": "resolution"}]},
]
ISSUE = {"id": "16833", "key": "DS-1", "fields": FIELDS, "changelog": {"histories": HISTORIES}}


def person(name, jira="Duraspace"):
    return ADAPTER._hash(f"{jira}:{name}")


def rest(issue=ISSUE, label=LABEL):
    data = issue if isinstance(issue, bytes) else json.dumps(issue).encode()
    return ADAPTER.activities(label, [RawItem(7, "Duraspace/DS-1_CL.json", data)])


def issue(changelog=ISSUE["changelog"], **fields):
    return {**ISSUE, "fields": FIELDS | fields, "changelog": changelog}


def who(batch):
    """The actor of each activity by what it is, in order."""
    return list(zip(batch.columns.category, batch.columns.actor.tolist(), strict=True))


def feature(batch, name):
    return batch.columns.values[:, INDEX[name] - POSITIONS].tolist()


def test_each_thing_done_is_an_activity_of_who_did_it():
    batch = rest()
    assert who(batch) == [
        ("created", person("ada")),
        ("updated", person("bob")),
        ("updated", person("eve")),
        ("commented", person("bob")),
        ("resolved", person("eve")),
        ("due", person("bob")),
    ]
    assert (batch.records, batch.expanded) == (1, 5)


def test_each_has_its_own_time_on_its_own_clock():
    columns = rest().columns
    times = columns.start_us.astype("datetime64[us]").astype("datetime64[s]").astype(str).tolist()
    assert times[:5] == [
        "2014-05-02T06:48:12", "2014-05-03T10:00:00", "2014-05-04T10:00:00",
        "2014-05-03T23:59:59", "2014-05-04T10:00:00",
    ]  # fmt: skip
    assert columns.offset_minutes.tolist()[:5] == [-300, 0, 0, 120, 0]
    assert columns.start_us[5] == NO_TIME
    assert str(columns.due_us[5:].astype("datetime64[us]")[0]).startswith("2014-05-09T00:00:00")
    assert columns.due_us[:5].tolist() == [NO_TIME] * 5
    assert not columns.due_timed.any()


def test_features_say_what_was_done():
    batch = rest()
    assert feature(batch, "task") == feature(batch, "project_activity") == [1] * 5 + [0]
    assert feature(batch, "priority") == [1] * 5 + [0]
    assert feature(batch, "completion") == [0, 0, 0, 0, 1, 0]
    assert feature(batch, "text_length") == pytest.approx([0.002, 0, 0, 0.01, 0, 0])
    assert feature(batch, "source_confidence") == [np.float32(0.8)] * 6


def test_without_a_changelog_the_assignee_resolved_it():
    assert ("resolved", person("bob")) in who(rest(issue(changelog=None)))
    other = [{"author": EVE, "created": "2014-05-05T10:00:00.000+0000", "items": []}]
    assert ("resolved", person("bob")) in who(rest(issue(changelog={"histories": other})))


def test_a_deadline_of_nobody_assigned_is_that_of_who_created_it():
    assert ("due", person("ada")) in who(rest(issue(assignee=None)))


def test_nobody_known_leaves_the_project():
    batch = rest(issue(creator=None, reporter=None, assignee=None, changelog=None))
    assert who(batch)[0] == ("created", 0)
    assert set(batch.columns.project.tolist()) == {ADAPTER._hash("Duraspace:DS")}


def test_the_same_name_in_another_jira_is_somebody_else():
    batch = rest(label="public_jira/rest/Appcelerator_stripped.tar.gz")
    assert who(batch)[0] == ("created", person("ada", "Appcelerator"))


def test_the_file_of_comments_repeats_its_issue():
    batch = rest({"comments": [{"author": BOB}], "total": 1})
    assert (batch.skipped, len(batch.columns)) == ({"comments_of_an_issue": 1}, 0)


def test_what_is_not_utf_8_is_read_as_windows_text():
    data = json.dumps(issue(summary="ab_ ten")).encode().replace(b"ab_", b"ab\xe9")
    assert feature(rest(data), "text_length")[0] == pytest.approx(12 / 5000)


def test_a_nul_in_a_text_is_a_character():
    assert feature(rest(issue(summary="a\0b")), "text_length")[0] == pytest.approx(8 / 5000)


@pytest.mark.parametrize(
    ("found", "slug"),
    [
        (b"{", "malformed_json"),
        ({"id": "1"}, "missing_field"),
        ({"fields": FIELDS, "key": 3}, "missing_field"),
        (issue(created=None), "missing_field"),
        (issue(duedate="soon"), "bad_time"),
        (issue(resolutiondate="0202-01-01"), "implausible_date"),
        (issue(comment={"comments": ["text"]}), "bad_field"),
        (issue(changelog={"histories": 3}), "bad_field"),
        (issue(changelog={"histories": [{"author": ADA}]}), "missing_field"),
    ],
)
def test_an_issue_that_cannot_be_read_is_rejected_whole(found, slug):
    batch = rest(found)
    assert [(r.slug, r.locator) for r in batch.rejected] == [(slug, f"{LABEL}#7")]
    assert (batch.records, len(batch.columns)) == (1, 0)


@given(st.dictionaries(st.sampled_from([*FIELDS]), st.none() | st.integers() | st.text(max_size=5)))
def test_no_odd_value_raises(fields):
    batch = rest(issue(**fields))
    assert batch.records == 1


def test_a_document_of_the_dump_tells_the_same():
    document = ISSUE | {"id": "16833"}
    found = ADAPTER.activities(
        "d.archive", [RawItem(1, "JiraReposAnon.Duraspace", bson.encode(document))]
    )
    expected = rest()
    for name in ("start_us", "due_us", "offset_minutes", "values", "actor", "project"):
        np.testing.assert_array_equal(getattr(found.columns, name), getattr(expected.columns, name))
    assert found.columns.source_id == expected.columns.source_id


def test_a_time_of_bson_is_utc():
    document = issue(created=DatetimeMS(1_400_000_000_000), duedate=DatetimeMS(1_400_000_000_000))
    found = ADAPTER.activities("d.archive", [RawItem(1, "db.J", bson.encode(document))])
    assert found.columns.start_us[0] == 1_400_000_000_000_000
    assert found.columns.offset_minutes[0] == 0
    assert found.columns.due_timed.tolist()[-1]


def test_a_document_that_is_no_issue_is_skipped_and_a_damaged_one_rejected():
    none = bson.encode({"errors": {}})
    bad = bson.encode(ISSUE)[:-3] + b"\1\1\0"
    batch = ADAPTER.activities("d.archive", [RawItem(1, "db.J", none), RawItem(2, "db.J", bad)])
    assert batch.skipped == {"not_an_issue": 1}
    assert [r.slug for r in batch.rejected] == ["malformed_document"]


def test_the_dump_and_the_answers_of_the_api_come_before_the_normalised_form(tmp_path):
    synthesize("public_jira", tmp_path, seed=1, records=30)
    labels = [f.label for s in ADAPTER.shards(tmp_path) for f in s.files]
    synthesize("public_jira_dump", tmp_path, seed=1, records=30)
    folder = tmp_path / "public_jira" / "rest"
    folder.mkdir()
    with tarfile.open(folder / "Duraspace_jira_rest.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("Duraspace/DS-1_CL.json")
        data = json.dumps(ISSUE).encode()
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    shards = ADAPTER.shards(tmp_path)
    assert [s.index for s in shards] == [0, 1]
    assert not {f.label for s in shards for f in s.files} & set(labels)
    record = PublicJira(PrepareConfig()).shards(tmp_path)
    assert [f.label for s in record for f in s.files] == labels
    batches = [
        parse_block(ADAPTER, f.label, block, history=True)
        for s in shards for f in s.files for block in ADAPTER.blocks(f)
    ]  # fmt: skip
    assert sum(b.records for b in batches) == 31
    assert {"created", "updated", "commented"} <= {c for b in batches for c in b.columns.category}


def test_of_the_normalised_form_only_its_creation_is_known():
    line = b'{"id": "J:1", "key": "DS-1", "created": "2014-05-02T06:48:12"}'
    batch = ADAPTER.activities("x.normalized.jsonl", [RawItem(1, "", line)])
    assert (len(batch.columns), batch.expanded) == (1, 0)
    assert (batch.columns.actor[0], batch.columns.project[0] != 0) == (0, True)
