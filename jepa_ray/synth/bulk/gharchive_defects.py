"""What can be wrong with a line of GH Archive, and what `prepare` has to make of it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jepa_ray.synth.bulk.expected import Expected

_CUT_WITHIN = 30  # bytes: of `{"id":"...","type":"...`, before any object inside
_STAMPED = b'"created_at":"'


class _Defect(NamedTuple):
    """A way to break a line, given a place from 0 to 1; slug None: it is read all the same."""

    slug: str | None
    broken: Callable[[bytes, float], bytes]


def with_defects(
    rng: np.random.Generator, lines: list[bytes], share: float, expected: Expected
) -> list[bytes]:
    """The lines, some of them broken; one that runs into the next leaves that one whole.

    Args:
        rng: Decides which, and how.
        lines: One event each.
        share: How many are broken, from 0 to 1.
        expected: Gets the account of all of them.
    """
    kinds = rng.integers(0, len(_DEFECTS), len(lines))
    places = rng.random(len(lines))
    chosen = np.flatnonzero(rng.random(len(lines)) < share).tolist()
    found = lines.copy()
    rejected = 0
    for number in chosen:
        if number and not found[number - 1].endswith(b"\n"):
            continue
        slug, broken = _DEFECTS[int(kinds[number])]
        line = broken(lines[number], float(places[number]))
        ends = line.endswith(b"\n") or number < len(lines) - 1
        found[number] = line if ends else line + b"\n"
        if slug:
            expected.quarantined[slug] += 1
            rejected += 1
    expected.windows += len(lines) - rejected
    return found


def _cut(line: bytes, place: float) -> bytes:
    return line[: _CUT_WITHIN + int(place * (len(line) - _CUT_WITHIN - 2))] + b"\n"


def _cut_by_the_next(line: bytes, place: float) -> bytes:
    return line[: 1 + int(place * (_CUT_WITHIN - 1))]


def _stamped(stamp: bytes) -> Callable[[bytes, float], bytes]:
    """Puts another time stamp, the last of its line, into an event."""

    def breaks(line: bytes, _: float) -> bytes:
        at = line.rindex(_STAMPED) + len(_STAMPED)
        return line[:at] + stamp + line[line.index(b'"', at) :]

    return breaks


def _without(key: bytes) -> Callable[[bytes, float], bytes]:
    """Gives a key of the event itself another name."""

    def breaks(line: bytes, _: float) -> bytes:
        before, _found, after = line.rpartition(key)
        return before + key[:1] + b"x" + key[1:] + after

    return breaks


_DEFECTS = (
    _Defect("malformed_line", _cut),
    _Defect("malformed_line", _cut_by_the_next),
    _Defect("malformed_line", lambda line, _: line.replace(b'"login":"', b'"login":"\xff', 1)),
    _Defect(None, lambda line, _: line[:-1]),  # two objects on one line: both are read
    _Defect("bad_time", _stamped(b"an hour ago")),
    _Defect("implausible_date", _stamped(b"1970-01-01T00:00:00Z")),
    _Defect("missing_field", _without(b'"created_at":')),
    _Defect("missing_field", lambda line, _: line.replace(b'"actor":{', b'"author":{', 1)),
)
