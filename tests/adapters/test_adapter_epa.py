"""EPA: a key, a tab and a JSON object a line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import mutated, mutations, odd

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.epa import Epa
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, NO_OFFSET, NO_TIME, record_windows

ADAPTER = Epa(PrepareConfig())


def people(*addresses):
    return {"emailAddressList": [{"emailAddress": {"Name": "N", "Address": a}} for a in addresses]}


def mail(**fields):
    found = {
        "EmailID": "<1.JavaMail@x>",
        "Subject": "12345",
        "From": {"emailAddress": {"Name": "Jane", "Address": "jane@example.com"}},
        "ToRecipients": people("a@example.com", "chris.s/HOU/ECT@ECT"),
        "CcRecipients": people("A@example.com", "b@example.com"),
        "Message": "one.<br/>two <mark>task</mark>.",
        "TaskSentence": "task",
        "Judgements": [{"j1": ["a@example.com"]}, {"j2": []}, {"j3": ["A@example.com", "b@x"]}],
    }
    return {k: v for k, v in (found | fields).items() if v != "absent"}


def line(key="EPA-00001", **fields):
    return f"{key}\t{json.dumps(mail(**fields))}".encode()


def parse(data, number=2):
    return ADAPTER.parse("e.tsv", [RawItem(number, "", data)])


def one(**fields):
    batch = parse(line(**fields))
    assert batch.rejected == []
    return batch


def value(batch, name):
    return round(float(batch.columns.values[0, INDEX[name] - 2]), 5)


def test_an_example_is_a_task_of_a_mail_on_all_slots():
    batch = one()
    windows = record_windows(batch.columns)
    assert (windows.first.tolist(), windows.last.tolist()) == ([0], [95])
    names = ("task", "email_activity", "priority", "source_confidence")
    assert [value(batch, name) for name in names] == [1, 1, 0, 0.7]
    columns = batch.columns
    assert (columns.timed[0], columns.start_us[0], columns.offset_minutes[0]) == (
        False,
        NO_TIME,
        NO_OFFSET,
    )
    assert columns.source_id == ["EPA-00001"]


def test_the_same_person_counts_once_whatever_the_case_and_the_header():
    assert value(one(), "participant_count") == 4 / 50
    assert (
        one(From={"emailAddress": {"Address": " Jane@Example.com"}}).columns.actor[0]
        == (one().columns.actor[0])
    )


def test_tags_are_not_text():
    assert value(one(), "text_length") == len("12345one.two task.") / 5000


def test_what_judges_say_is_counted_and_an_empty_list_is_nobody():
    assert json.loads(one().columns.metadata[0]) == {
        "candidates": 3,
        "judges": 3,
        "judges_nobody": 1,
        "responsible": 2,
        "task_chars": 4,
    }


def test_missing_people_and_judgements_are_nobody():
    absent = dict.fromkeys(("From", "ToRecipients", "CcRecipients", "Judgements"), "absent")
    batch = one(**absent)
    assert (value(batch, "participant_count"), batch.columns.actor[0]) == (0, 0)


@pytest.mark.parametrize("header", [b"Key\tJson", b"\xef\xbb\xbfKey\tJson\r"])
def test_the_header_is_no_record(header):
    batch = parse(header + b"\n" + line() + b"\r\n\n", number=1)
    assert (batch.records, len(batch.columns)) == (1, 1)
    assert parse(header, number=2).rejected


@pytest.mark.parametrize(
    ("bad", "slug"),
    [
        (b"EPA-2", "malformed_line"),
        (b"Jane\t{}", "bad_key"),
        (b"EPA-2\t{", "malformed_json"),
        (b"EPA-2\t[]", "malformed_json"),
        (b"EPA-2\t\xff", "malformed_json"),
        (b"EPA-2\t" + b"[" * 100_000, "malformed_json"),
        (line(Message=None), "missing_field"),
        (line(TaskSentence="absent"), "missing_field"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number(bad, slug):
    batch = parse(line() + b"\n" + bad + b"\n" + line("EPA-3"), number=5)
    assert [(r.locator, r.slug) for r in batch.rejected] == [("e.tsv:6", slug)]
    assert len(batch.columns) == 2


def test_the_file_is_found_and_read(tmp_path):
    (tmp_path / "epa").mkdir()
    (tmp_path / "epa/EPADataset.tsv").write_bytes(b"Key\tJson\n" + line() + b"\n" + line("EPA-2"))
    (file,) = ADAPTER.shards(tmp_path)[0].files
    batches = [parse_block(ADAPTER, file.label, block) for block in ADAPTER.blocks(file)]
    assert [b.columns.source_id for b in batches] == [["EPA-00001", "EPA-2"]]


@given(st.dictionaries(st.sampled_from([*mail()]), odd), odd)
def test_no_values_crash_the_adapter(fields, value):
    assert parse(line(**fields)).records == 1
    assert parse(line(Judgements=[{"j": value}, value, {"j": [value]}])).rejected == []
    nested = {"emailAddressList": [value, {"emailAddress": value}]}
    assert parse(line(From={"emailAddress": {"Address": value}}, ToRecipients=nested)).records == 1


@given(st.binary(), mutations)
def test_no_bytes_crash_the_adapter(data, changes):
    parse(data)
    parse(mutated(line() + b"\n" + line("EPA-2"), changes), number=1)
