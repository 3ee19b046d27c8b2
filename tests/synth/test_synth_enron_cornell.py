import datetime as dt
import gzip
from collections import Counter
from itertools import pairwise

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 3000
YEAR_ONE_TO_1970_MS = 62_135_596_800_000


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("simplices")
    assert synthesize("enron_cornell", root, seed=7, records=RECORDS) == RECORDS
    return root


@pytest.fixture(scope="module")
def parts(root):
    def numbers(part):
        path = root / "enron" / "cornell" / f"email-Enron-{part}.txt.gz"
        return [int(line) for line in gzip.decompress(path.read_bytes()).splitlines()]

    return [numbers(part) for part in ("nverts", "simplices", "times")]


def test_the_adapter_makes_a_timed_window_of_every_simplex(root):
    found = read_back("enron_cornell", root)
    assert (found.records, found.windows) == (RECORDS, RECORDS)
    assert (found.skipped, found.quarantined) == ({}, [])
    assert all(found.column("timed"))


def test_the_three_files_fit_together(parts):
    counts, nodes, times = parts
    assert len(counts) == len(times) == RECORDS
    assert sum(counts) == len(nodes)


def test_most_mails_have_two_nodes_and_some_have_one(parts):
    sizes = Counter(parts[0])
    assert 0.68 < sizes[2] / RECORDS < 0.78
    assert 0.02 < sizes[1] / RECORDS < 0.06
    assert max(sizes) <= 18


def test_a_simplex_names_nobody_twice(parts):
    counts, nodes, _ = parts
    rest = iter(nodes)
    simplices = [[next(rest) for _ in range(count)] for count in counts]
    assert all(len(set(simplex)) == len(simplex) for simplex in simplices)
    assert 1 <= min(nodes) <= max(nodes) <= 148


def test_times_are_milliseconds_since_the_year_one_and_whole_seconds(parts):
    seconds = [divmod(time - YEAR_ONE_TO_1970_MS, 1000) for time in parts[2]]
    assert {rest for _, rest in seconds} == {0}
    years = {dt.datetime.fromtimestamp(second, dt.UTC).year for second, _ in seconds}
    assert years <= {1999, 2000, 2001, 2002}
    assert 0.65 < sum(second % 60 == 0 for second, _ in seconds) / RECORDS < 0.8


def test_a_few_mails_stand_after_later_ones(parts):
    behind = sum(late < early for early, late in pairwise(parts[2]))
    assert 0 < behind < 0.03 * RECORDS
