"""Mail as a graph without times: `email-Enron.txt.gz`, one line `from TAB to` per direction.

True to the real file: CRLF, four lines of comments, every edge in both directions, lines in the
order of their numbers, no edge twice; ten lines a node on average, three at the median, and a few
nodes with very many. The graph is put together of groups, so memory does not grow with it; an odd
number of lines ends with a node that wrote to itself.
"""

from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from math import isqrt
from pathlib import Path
from random import Random

from jepa_ray.synth.output_files import whole_gzip_file
from jepa_ray.synth.population import generator, portions

_DATASET = "enron_snap"
_PAIRS_A_GROUP = 20_000
_PAIRS_A_NODE = 5


def write(root: Path, seed: int, records: int) -> int:
    """Write the graph; return the number of lines that are no comment."""
    pairs, odd = divmod(records, 2)
    groups = list(portions(pairs, [1.0] * -(-pairs // _PAIRS_A_GROUP))) if pairs else []
    nodes = sum(_nodes(size) for size in groups) or 1
    with whole_gzip_file(root / "enron" / "snap" / "email-Enron.txt.gz") as stream:
        for line in (
            "# Directed graph (each unordered pair of nodes is saved once): Email-Enron.txt ",
            "# Made-up email network (edge indicated that email was exchanged, undirected edges)",
            f"# Nodes: {nodes} Edges: {records}",
            "# FromNodeId\tToNodeId",
        ):
            stream.write(line.encode() + b"\r\n")
        first = 0
        for index, size in enumerate(groups):
            for a, b in _lines(generator(seed, _DATASET, index), size):
                stream.write(b"%d\t%d\r\n" % (first + a, first + b))
            first += _nodes(size)
        if odd:
            stream.write(b"%d\t%d\r\n" % (nodes - 1, nodes - 1))
    return records


def _nodes(pairs: int) -> int:
    """Say how many nodes a group of so many pairs has: enough for that many to be distinct."""
    return min(pairs + 1, max(pairs // _PAIRS_A_NODE + 1, isqrt(2 * pairs) + 2))


def _lines(rng: Random, pairs: int) -> Iterator[tuple[int, int]]:
    """Yield the edges of one group in both directions, in order; no node is without one."""
    size = _nodes(pairs)
    reached = list(accumulate(rng.lognormvariate(0.0, 1.8) for _ in range(size)))
    found = {(_popular(rng, reached, node), node) for node in range(1, size)}
    while len(found) < pairs:
        one = _popular(rng, reached, size)
        other = _popular(rng, reached, size) if rng.random() < 0.9 else rng.randrange(size)
        if one != other:
            found.add((min(one, other), max(one, other)))
    yield from sorted([*found, *((b, a) for a, b in found)])


def _popular(rng: Random, reached: list[float], among: int) -> int:
    """Draw one of the first nodes by the running sum of their weights."""
    return min(bisect(reached, rng.random() * reached[among - 1]), among - 1)
