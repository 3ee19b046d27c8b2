import json
import re
from collections import Counter
from statistics import mean

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 1500
RECIPIENTS = ("ToRecipients", "CcRecipients")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("examples")
    assert synthesize("epa", root, seed=7, records=RECORDS) == RECORDS
    return root


@pytest.fixture(scope="module")
def rows(root):
    header, *lines = (root / "epa" / "EPADataset.tsv").read_bytes().decode().splitlines()
    assert header == "Key\tJson"
    keys, texts = zip(*(line.split("\t") for line in lines), strict=True)
    assert list(keys) == [f"EPA-{number:05}" for number in range(1, RECORDS + 1)]
    return [json.loads(text) for text in texts]


def addresses(row, name):
    return [each["emailAddress"]["Address"] for each in row[name]["emailAddressList"]]


def test_the_adapter_makes_an_untimed_window_of_every_row(root):
    found = read_back("epa", root)
    assert (found.records, found.windows) == (RECORDS, RECORDS)
    assert (found.skipped, found.quarantined) == ({}, [])
    assert not any(found.column("timed"))
    assert 0 not in found.column("actor")


def test_rows_have_the_documented_fields(rows):
    fields = {"EmailID", "Subject", "From", "Message", "TaskSentence", "Judgements", *RECIPIENTS}
    assert all(set(row) == fields for row in rows)


def test_the_task_sentence_is_marked_once_in_the_message(rows):
    for row in rows:
        assert re.findall(r"<mark>(.*?)</mark>", row["Message"]) == [row["TaskSentence"]]


def test_tags_fuse_some_sentences(rows):
    assert sum(bool(re.search(r"\.<br/>\w", row["Message"])) for row in rows) > 0.5 * RECORDS


def test_a_mail_with_several_tasks_stands_in_several_rows(rows):
    mails = Counter(row["EmailID"] for row in rows)
    assert 1.3 < mean(mails.values()) < 2
    assert max(mails.values()) == 3


def test_the_number_of_candidates_is_like_the_documented_one(rows):
    people = [{a.lower() for n in RECIPIENTS for a in addresses(row, n)} for row in rows]
    assert 2.4 < mean(map(len, people)) < 3.2


def test_a_few_people_stand_in_to_and_cc_at_once(rows):
    both = sum(
        bool({a.lower() for a in addresses(row, RECIPIENTS[0])}
             & {a.lower() for a in addresses(row, RECIPIENTS[1])})
        for row in rows
    )  # fmt: skip
    assert 0 < both < 0.1 * RECORDS


def test_addresses_come_in_several_cases_and_a_few_in_the_form_of_notes(rows):
    found = Counter(a for row in rows for n in RECIPIENTS for a in addresses(row, n))
    notes = {a for a in found if a.lower().endswith("/hou/ect@ect")}
    assert 0.01 < sum(found[a] for a in notes) / found.total() < 0.2
    assert {a.lower() for a in found if a != a.lower()} & set(found)
    assert all(re.search(r"@example\.(com|org|net)$", a.lower()) for a in set(found) - notes)


def test_several_judges_choose_among_the_recipients_or_say_nobody(rows):
    nobody = judged = 0
    for row in rows:
        candidates = {a.lower() for n in RECIPIENTS for a in addresses(row, n)}
        said = [who for judgement in row["Judgements"] for who in judgement.values()]
        assert 2 <= len(said) <= 5
        assert {a.lower() for who in said for a in who} <= candidates
        nobody, judged = nobody + said.count([]), judged + len(said)
    assert 0.05 < nobody / judged < 0.2
