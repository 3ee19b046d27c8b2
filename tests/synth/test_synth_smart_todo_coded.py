import re
from collections import Counter
from itertools import pairwise
from statistics import mean

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 6000
PATH = "smart_todo/data/Coded_Annotations/Spans_ToDo_dataset.tsv"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("items")
    assert synthesize("smart_todo_coded", root, seed=7, records=RECORDS) == RECORDS
    return root


@pytest.fixture(scope="module")
def rows(root):
    header, *lines, end = (root / PATH).read_bytes().decode().split("\r\n")
    assert header.split("\t") == [
        "UniqueID", "data_index", "current_id", "highlight_start", "highlight_end", "to_do_summary",
    ]  # fmt: skip
    assert end == ""
    assert not any("\n" in line for line in lines)
    return [line.split("\t") for line in lines]


def test_the_adapter_makes_an_untimed_window_of_every_row(root):
    found = read_back("smart_todo_coded", root)
    assert (found.records, found.windows) == (RECORDS, RECORDS)
    assert (found.skipped, found.quarantined) == ({}, [])
    assert not any(found.column("timed"))
    assert len(set(found.column("source_id"))) == RECORDS


def test_two_judges_wrote_for_the_same_span(rows):
    spans = Counter(tuple(row[:5]) for row in rows)
    assert set(spans.values()) == {2}
    assert len({row[0] for row in rows}) == len(spans)


def test_two_pairs_in_three_thousand_are_not_neighbours(rows):
    neighbours = sum(one[0] == other[0] for one, other in pairwise(rows))
    assert neighbours == RECORDS / 2 - 2


def test_a_few_pairs_wrote_the_same(rows):
    same = sum(one[0] == other[0] and one[5] == other[5] for one, other in pairwise(rows))
    assert 0.005 < same / (RECORDS / 2) < 0.04


def test_words_are_codes_and_a_few_are_masks(rows):
    words = Counter(re.sub(r"\d+", "9", word) for row in rows for word in row[5].split())
    assert set(words) <= {"$9$", "UNK", "#NAME#", "#NUMBER#", "#URL#", "#DATE#", "#FILENAME#"}
    assert 0 < words["UNK"] < 0.005 * words.total()
    assert 9 < words.total() / RECORDS < 13


def test_spans_are_as_long_as_the_real_ones(rows):
    spans = [int(row[4]) - int(row[3]) for row in rows]
    assert 2 <= min(spans) <= max(spans) <= 126
    assert 12 < mean(spans) < 18


def test_a_mail_has_the_number_of_its_mailbox(rows):
    assert all(re.fullmatch(r"\d+-\d+-EM", row[2]) for row in rows)
    assert 150 < len({row[2].partition("-")[0] for row in rows}) <= 179


def test_an_odd_number_of_rows_ends_with_one_judge(tmp_path):
    synthesize("smart_todo_coded", tmp_path, seed=1, records=7)
    rows = (tmp_path / PATH).read_text().splitlines()[1:]
    assert sorted(Counter(row.split("\t")[0] for row in rows).values()) == [1, 2, 2, 2]
