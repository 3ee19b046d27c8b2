import gzip
from collections import Counter
from statistics import mean, median

import pytest
from read_back import read_back

from jepa_ray.synth import synthesize

RECORDS = 60_000


def lines(root):
    path = root / "enron" / "snap" / "email-Enron.txt.gz"
    return gzip.decompress(path.read_bytes()).split(b"\r\n")


def edges(root):
    return [tuple(map(int, line.split(b"\t"))) for line in lines(root)[4:-1]]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("graph")
    assert synthesize("enron_snap", root, seed=7, records=RECORDS) == RECORDS
    return root


def test_the_adapter_makes_an_untimed_window_of_every_line(root):
    found = read_back("enron_snap", root)
    assert (found.records, found.windows) == (RECORDS, RECORDS)
    assert (found.skipped, found.quarantined) == ({}, [])
    assert not any(found.column("timed"))
    assert len(set(found.column("source_id"))) == RECORDS


def test_the_header_counts_nodes_and_edges(root):
    *head, numbers, columns = lines(root)[:4]
    nodes = {node for edge in edges(root) for node in edge}
    assert len(head) == 2
    assert numbers == b"# Nodes: %d Edges: %d" % (len(nodes), RECORDS)
    assert columns == b"# FromNodeId\tToNodeId"
    assert nodes == set(range(len(nodes)))


def test_every_line_ends_in_crlf(root):
    assert lines(root)[-1] == b""
    assert not any(b"\n" in line for line in lines(root))


def test_edges_are_sorted_and_stand_in_both_directions(root):
    found = edges(root)
    assert found == sorted(set(found))
    assert {(b, a) for a, b in found} == set(found)


def test_most_nodes_have_few_edges_and_a_few_have_very_many(root):
    degrees = Counter(a for a, _ in edges(root)).values()
    assert 9 < mean(degrees) < 11
    assert 2 <= median(degrees) <= 5
    assert max(degrees) > 500


@pytest.mark.parametrize("records", [1, 2, 3, 4, 5, 8, 9, 11, 20, 21, 301])
def test_a_small_graph_has_as_many_lines_as_were_asked_for(records, tmp_path):
    synthesize("enron_snap", tmp_path, seed=records, records=records)
    found = edges(tmp_path)
    assert len(set(found)) == len(found) == records
    assert sum(a == b for a, b in found) == records % 2
    assert b"# Nodes: %d " % len({a for a, _ in found}) in lines(tmp_path)[2]
