"""What holds for every adapter: nothing crashes, nothing leaks, nothing is lost."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_values import mutated, mutations

from jepa_ray.adapters import adapters, parse_block, select
from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError, StageError
from jepa_ray.readers import RawItem
from jepa_ray.synth import DATASETS, synthesize
from jepa_ray.windows import WINDOW_SCHEMA, record_windows, window_table

MARK = "SecretMarker"
NAMES = sorted(name for name in adapters() if adapters()[name].info.trainable)
MADE_UP = sorted(set(NAMES) & set(DATASETS))
ADAPTERS = {name: adapters()[name](PrepareConfig()) for name in NAMES}

ICS = f"""BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:{MARK}
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:{MARK}@{MARK}.example.com
DTSTART;TZID={MARK}:20150101T100000
DTEND;TZID={MARK}:20150101T113000
SUMMARY:{MARK}
DESCRIPTION:{MARK}
LOCATION:{MARK}
CATEGORIES:{MARK}
ATTENDEE;CN={MARK}:mailto:{MARK}@example.com
ORGANIZER:mailto:{MARK}@example.com
RRULE:FREQ=WEEKLY;COUNT=3
EXDATE;TZID={MARK}:20150108T100000
END:VEVENT
END:VCALENDAR
""".encode()
MAIL = f"""Message-ID: <{MARK}@example.com>
Date: Mon, 14 May 2001 20:51:00 -0700 ({MARK})
From: {MARK} <{MARK}@example.com>
To: {MARK}.B@example.com
Subject: {MARK}
Content-Type: text/plain; charset={MARK}
X-Folder: {MARK}

{MARK}
""".encode()
EVENT = json.dumps(
    {
        "id": MARK,
        "type": f"{MARK}Event",
        "actor": {"login": MARK},
        "repo": {"name": f"{MARK}/{MARK}"},
        "payload": {"action": MARK, "commits": [{"message": MARK}]},
        "created_at": "2015-01-01T15:00:00Z",
    }
).encode()
ISSUE = json.dumps(
    {
        "id": f"{MARK}:1",
        "key": f"{MARK}-1",
        "created": "2014-05-02T06:48:12.000+0000",
        "dueDate": "2014-05-02",
        "summary": MARK,
        "description": MARK,
        "priority": MARK,
    }
).encode()
TAIGA = json.dumps(
    {
        "slug": MARK,
        "tasks": [
            {"ref": 1, "created_date": "2016-08-04T11:08:24+0000", "finished_date": "2016-08-01"}
            | dict.fromkeys(("subject", "description", "owner", "status", "priority"), MARK)
        ],
    }
).encode()
PACKAGE = json.dumps(
    {
        "id": 1,
        "createdAt": "2020-08-26T14:01:44Z",
        "subject": MARK,
        "description": {"raw": MARK},
        "_embedded": {"type": {"name": MARK}, "priority": {"name": MARK}},
        "_links": {name: {"href": MARK, "title": MARK} for name in ("project", "author")},
    }
).encode()
TASK = json.dumps(
    {"ID": MARK, "TaskTitle": MARK, "ListTitle": MARK}
    | {"TimeJudgements": [{"Known": "yes", "Times": "WD-night"}]}
).encode()
PERSON = {"emailAddress": {"Name": MARK, "Address": f"{MARK}@example.com"}}
EXAMPLE = (
    b"EPA-1\t"
    + json.dumps(
        dict.fromkeys(("EmailID", "Subject", "Message", "TaskSentence"), MARK)
        | {"From": PERSON, "ToRecipients": {"emailAddressList": [PERSON]}}
        | {"Judgements": [{MARK: [f"{MARK}@example.com"]}]}
    ).encode()
)
VALID = {
    "calendar_ics_thunderbird": ICS,
    "calendar_ics_legacy": ICS,
    "calendar_ics_community": ICS,
    "enron_cornell": b"63125438400000\t1 2 3",
    "enron_snap": b"1\t2\r\n",
    "epa": EXAMPLE,
    "ms_latte": TASK,
    "project_openproject": PACKAGE,
    "project_taiga": TAIGA,
    "smart_todo_coded": f"1\t2\t{MARK}-1\t3\t4\t{MARK}".encode(),
    "enron_maildir": MAIL,
    "gharchive": EVENT,
    "public_jira": ISSUE,
}


def parse(name, data):
    item = RawItem(1, f"maildir/{MARK}/inbox/1." if name == "enron_maildir" else "", data)
    batch = parse_block(ADAPTERS[name], "label", [item])
    accounted = len(batch.columns) - batch.expanded + batch.skipped.total() + len(batch.rejected)
    assert batch.records == accounted
    table = window_table(name, batch.kind, batch.columns, record_windows(batch.columns))
    assert table.schema.equals(WINDOW_SCHEMA)
    return batch, table


def prepared(batch, table):
    """All that leaves an adapter, as one text."""
    return repr([table.to_pylist(), batch.rejected, batch.skipped]).lower()


def test_every_adapter_of_the_project_is_here():
    assert set(VALID) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(st.binary())
def test_no_bytes_crash_an_adapter(name, data):
    parse(name, data)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(mutations)
def test_no_mutation_crashes_an_adapter_or_leaks(name, changes):
    assert MARK.lower() not in prepared(*parse(name, mutated(VALID[name], changes)))


@pytest.mark.parametrize("name", NAMES)
def test_no_text_leaves_an_adapter(name):
    batch, table = parse(name, VALID[name])
    assert len(batch.columns) >= 1
    assert batch.rejected == []
    assert MARK.lower() not in prepared(batch, table)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("broken", [b"{", b'"', b"\xff", b"SecretMarker"])
def test_no_text_leaves_by_a_rejection(name, broken):
    for data in (VALID[name] + broken, broken + VALID[name], VALID[name][:-30], broken):
        assert MARK.lower() not in prepared(*parse(name, data))


@pytest.mark.parametrize("name", NAMES)
def test_another_salt_gives_other_actors_and_the_same_windows(name):
    salted = adapters()[name](PrepareConfig(actor_salt="another"))
    item = RawItem(1, "maildir/u/1." if name == "enron_maildir" else "", VALID[name])
    first, second = (a.parse("x", [item]).columns for a in (ADAPTERS[name], salted))
    assert set(first.actor.tolist() + first.project.tolist()).isdisjoint(
        set(second.actor.tolist() + second.project.tolist()) - {0}
    )
    assert first.start_us.tolist() == second.start_us.tolist()


def count(name, root):
    """Account of a dataset below a data root."""
    adapter, found = ADAPTERS[name], Counter()
    for shard in adapter.shards(root):
        for file in shard.files:
            for block in adapter.blocks(file):
                batch = parse_block(adapter, file.label, block)
                windows = record_windows(batch.columns)
                found += Counter(
                    records=batch.records, windows=len(windows), rejected=len(batch.rejected)
                )
    return found


@pytest.mark.parametrize("name", MADE_UP)
def test_a_made_up_archive_is_read_whole(name, tmp_path):
    written = synthesize(name, tmp_path, seed=3, records=400)
    found = count(name, tmp_path)
    assert found["records"] == written == 400
    assert found["rejected"] == 0


@pytest.mark.parametrize("name", MADE_UP)
def test_the_block_size_changes_no_window(name, tmp_path):
    synthesize(name, tmp_path, seed=5, records=300)

    def uids(raw_block_bytes):
        adapter = adapters()[name](PrepareConfig(raw_block_bytes=raw_block_bytes))
        batches = [
            parse_block(adapter, file.label, block)
            for shard in adapter.shards(tmp_path)
            for file in shard.files
            for block in adapter.blocks(file)
        ]
        return [
            uid
            for b in batches
            for uid in window_table("d", b.kind, b.columns, record_windows(b.columns))[
                0
            ].to_pylist()
        ]

    assert uids(4096) == uids(1 << 30)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "records", "windows"),
    [
        ("calendar_ics_thunderbird", 4881, 4881),
        ("enron_cornell", 10_883, 10_883),
        ("enron_maildir", 35_464, 35_428),
        ("enron_snap", 367_662, 367_662),
        ("gharchive", 11_351, 11_351),
        ("ms_latte", 60, 60),
        ("project_openproject", 5, 5),
        ("project_taiga", 83, 83),
        ("public_jira", 11_174, 11_174),
        ("smart_todo_coded", 24_070, 24_070),
    ],
)
def test_the_real_samples_have_the_documented_counts(name, records, windows, real_data):
    found = count(name, real_data)
    assert (found["records"], found["windows"]) == (records, windows)
    assert found["rejected"] == records - windows


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_data_root_has_no_shards(name, tmp_path):
    assert ADAPTERS[name].shards(tmp_path) == []


def test_all_and_aliases_select_adapters():
    assert set(NAMES) >= {a.info.dataset for a in select(["all"]) if a.info.trainable}
    assert [a.info.dataset for a in select(["gharchive_2026_06_09"])] == ["gharchive"]


def test_an_unknown_dataset_is_named_with_a_suggestion():
    with pytest.raises(SourceError, match="did you mean gharchive"):
        select(["gharchiv"])


class _Raising(PublicJira):
    def parse(self, label, items):
        raise ValueError("Secret subject")


def test_an_adapter_that_raises_is_named_without_what_it_said():
    with pytest.raises(StageError) as caught:
        parse_block(_Raising(PrepareConfig()), "bookings/a.csv", [RawItem(7, "", b"x")])
    said = str(caught.value)
    assert "raised ValueError at test_adapters_all.py:" in said
    assert "bookings/a.csv, records from 7 on" in said
    assert "Secret" not in said
