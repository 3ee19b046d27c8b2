"""Mail as timestamped simplices: who is on each mail and when, in three files of integers.

True to the real files: sizes of the simplices as counted there, simplices of one node, times in
milliseconds since 0001-01-01 that are whole seconds (three in four whole minutes), and one mail in
a hundred that stands after a later one. There are 143 nodes, numbered from 1 to 148.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from random import Random

from jepa_ray.synth.moments import moments
from jepa_ray.synth.output_files import whole_gzip_file
from jepa_ray.synth.population import generator, people

_DATASET = "enron_cornell"
_PARTS = ("nverts", "simplices", "times")
_SIZES = {  # nodes of a simplex: how many of the real 10,883 have so many
    1: 431, 2: 7940, 3: 1231, 4: 567, 5: 364, 6: 91, 7: 123, 8: 50, 9: 25, 10: 12, 11: 17, 12: 24,
    13: 3, 15: 1, 16: 2, 18: 2,
}  # fmt: skip
_NODES, _LAST_NODE = 143, 148
_YEAR_ONE = dt.datetime(1, 1, 1)  # noqa: DTZ001  # nobody says which zone the times are in
_FIRST_MONDAY = dt.datetime(1999, 5, 3)  # noqa: DTZ001  # as above
_WEEKS = 160


def write(root: Path, seed: int, records: int) -> int:
    """Write the three files side by side; return the number of simplices."""
    folder = root / "enron" / "cornell"
    with ExitStack() as stack:
        counts, nodes, times = (
            stack.enter_context(whole_gzip_file(folder / f"email-Enron-{part}.txt.gz"))
            for part in _PARTS
        )
        for simplex, moment in _mails(seed, records):
            counts.write(b"%d\n" % len(simplex))
            nodes.writelines(b"%d\n" % node for node in simplex)
            times.write(b"%d\n" % ((moment - _YEAR_ONE) // dt.timedelta(milliseconds=1)))
    return records


def _mails(seed: int, count: int) -> Iterator[tuple[list[int], dt.datetime]]:
    rng = generator(seed, _DATASET)
    staff = people(rng, _NODES)
    numbers = sorted(rng.sample(range(1, _LAST_NODE + 1), _NODES))
    sizes = list(accumulate(_SIZES.values()))
    for drawn, who in moments(rng, staff, count, monday=_FIRST_MONDAY, weeks=_WEEKS):
        size = rng.choices(list(_SIZES), cum_weights=sizes)[0]
        moment = drawn.replace(second=0) if rng.random() < 0.72 else drawn
        if rng.random() < 0.01:
            moment -= dt.timedelta(hours=rng.randint(6, 60))
        yield sorted(numbers[node] for node in _circle(rng, who, size)), moment


def _circle(rng: Random, who: int, size: int) -> set[int]:
    """Gather somebody and people of nearby numbers, `size` of them in all."""
    circle = {who}
    while len(circle) < size:
        circle.add((who + 1 + int(rng.expovariate(0.15))) % _NODES)
    return circle
