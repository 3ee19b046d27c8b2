"""Pieces of GH Archive hours.

True to the sample hour of 2015: the mix of kinds, lengths of texts, how many events an actor has in
an hour (three in five just one), repositories of organisations, ids that rise by 1 to 39, one line
in 200 that stands before the line above it. Who acts is drawn from ten million accounts, so the
number of different ones grows with the archive.
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from itertools import cycle
from random import Random

import numpy as np
from numpy.typing import NDArray

from jepa_ray.synth.bulk.draws import Texts, generator, login, popular
from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.gharchive_defects import with_defects
from jepa_ray.synth.bulk.gharchive_forms import Form, forms
from jepa_ray.synth.bulk.piece import Content, Piece
from jepa_ray.synth.population import words

MEAN_BYTES = 2150
"""Of a line, about."""
FIRST_HOUR = dt.datetime(2015, 3, 2, tzinfo=dt.UTC)
_STREAM = 1
_FIRST_ID, _IDS_A_PIECE = 2_600_000_000, 1 << 20
_ACCOUNTS, _POPULAR_ACCOUNTS = 10_000_000, 3_000_000
_ORGANISED, _AT_HOME, _ELSEWHERE = 0.286, 0.7, 0.15
_SWAPPED, _EARLIER = 0.0045, 0.0028
_BODIES = {  # quantiles of lengths, see draws.sizes
    "message": (0, 2, 6, 9, 16, 31, 63, 139, 182, 428, 1502, 8071),
    "pull": (0, 0, 0, 0, 0, 44, 158, 412, 793, 1974, 3717, 3717),
    "issue": (0, 0, 0, 20, 86, 253, 581, 1213, 1783, 4784, 29697, 54316),
    "comment": (2, 4, 7, 14, 39, 102, 254, 545, 800, 2942, 22720, 54703),
    "release": (0, 0, 0, 0, 0, 0, 27, 118, 145, 826, 882, 889),
}
_BETWEEN_WORDS = {b"\\r\\n\\r\\n": 0.01, b"\\n": 0.02, b' \\"': 0.004, b'\\" ': 0.004, b". ": 0.06}
_BETWEEN_WORDS |= {b", ": 0.05, " \u00e9tude ".encode(): 0.002}


def make(piece: Piece) -> Content:
    """The lines of one piece."""
    rng = generator(piece.seed, _STREAM, piece.number)
    lines = list(_lines(rng, piece))
    expected = Expected()
    lines = with_defects(rng, lines, piece.defects, expected)
    return Content(b"".join(lines), expected)


def file_name(hour: int) -> str:
    """Where an hour belongs below a data root."""
    begin = FIRST_HOUR + dt.timedelta(hours=hour)
    return f"gharchive/{begin:%Y-%m-%d}-{begin.hour}.json.gz"


def _lines(rng: np.random.Generator, piece: Piece) -> Iterator[bytes]:
    count = piece.records
    actors, organised = _sessions(rng, count)
    own, shared = forms(piece.seed)
    chosen = np.where(
        organised,
        rng.choice(len(shared.forms), count, p=shared.shares) + len(own.forms),
        rng.choice(len(own.forms), count, p=own.shares),
    )
    known: list[Form] = [*own.forms, *shared.forms]
    owners, which = _repositories(rng, actors, organised)
    ids, stamps = _ids_and_stamps(rng, piece)
    names = _repository_names()
    hashes, texts = _hashes(rng), _texts(rng, piece.seed)
    columns = (chosen, actors, owners, which, ids)
    for number, actor, owner, repo, event_id, stamp in zip(
        *(column.tolist() for column in columns), stamps, strict=True
    ):
        form = known[number]
        holder = login(owner)
        values = {
            b"id": b"%d" % event_id,
            b"push": b"%d" % (event_id // 5),
            b"actor": login(actor),
            b"account": b"%d" % (actor + 1),
            b"owner": holder,
            b"repo": holder + b"/" + names[(owner * 7 + repo) & 4095],
            b"place": b"%d" % (owner * 8 + repo + 1),
            b"when": stamp,
        }
        values.update(zip(form.shas, hashes))  # noqa: B905 - endless
        for name, kind in zip(form.texts, form.kinds, strict=True):
            values[name] = next(texts[kind])
        yield form.line % values + b"\n"


def _sessions(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Who acts in each event, and whether at an organisation's repository.

    As counted in the sample: 60 % of the actors of an hour act once, 19 % twice, the others
    5.7 times on average and up to 95 times.
    """
    kind = rng.random(count)
    many = 3 + np.minimum(92, 2.0 * rng.pareto(1.7, count)).astype(np.int64)
    times = np.where(kind < 0.60, 1, np.where(kind < 0.79, 2, many))
    actors = np.repeat(popular(rng, _ACCOUNTS, 0.6, count), times)[:count]
    organised = np.repeat(rng.random(count) < _ORGANISED, times)[:count]
    order = rng.permutation(count)
    return actors[order], organised[order]


def _repositories(
    rng: np.random.Generator, actors: NDArray[np.int64], organised: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The owner of each event's repository, and which of the owner's eight it is."""
    count = len(actors)
    main = _mixed(actors)
    at_home = (main % 1000 < 1000 * _AT_HOME) & ~organised
    team = (main // 1000) ** 2 % _POPULAR_ACCOUNTS // 50
    elsewhere = rng.random(count) < _ELSEWHERE
    other = popular(rng, _POPULAR_ACCOUNTS, 0.75, count)
    owners = np.where(elsewhere, other, np.where(at_home, actors, team))
    return owners, np.where(elsewhere, rng.integers(0, 8, count), main % 2)


def _mixed(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same number of 30 bits for the same number, without a pattern."""
    return (numbers * 0x9E3779B1 >> 7) & (2**30 - 1)


def _ids_and_stamps(
    rng: np.random.Generator, piece: Piece
) -> tuple[NDArray[np.int64], list[bytes]]:
    """Ids that rise and times of one part of an hour; a few neighbours change places."""
    count = piece.records
    steps = np.minimum(39, rng.geometric(0.48, count))
    ids = _FIRST_ID + piece.number * _IDS_A_PIECE + np.cumsum(steps)
    share = np.sort(rng.random(count)) * (piece.end - piece.begin) + piece.begin
    seconds = (3600 * share).astype(np.int64)
    seconds -= np.where(rng.random(count) < _EARLIER, rng.integers(1, 3, count), 0)
    seconds = np.clip(seconds, 0, 3599)
    order = np.arange(count)
    for i in np.flatnonzero(rng.random(max(0, count - 1)) < _SWAPPED).tolist():
        order[[i, i + 1]] = order[[i + 1, i]]
    begin = FIRST_HOUR + dt.timedelta(hours=piece.file)
    hour = f"{begin:%Y-%m-%dT%H}".encode()
    clock = [b"%s:%02d:%02dZ" % (hour, *divmod(second, 60)) for second in range(3600)]
    return ids[order], [clock[second] for second in seconds[order].tolist()]


@lru_cache(maxsize=1)
def _repository_names() -> list[bytes]:
    rng = Random(0)
    return [words(rng, 1 + n % 2).replace(" ", "-").encode() for n in range(4096)]


@lru_cache(maxsize=2)
def _long_text(seed: int) -> Texts:
    return Texts(Random(seed), _BETWEEN_WORDS)


def _texts(rng: np.random.Generator, seed: int) -> dict[str, Iterator[bytes]]:
    return {kind: _long_text(seed).endless(rng, found) for kind, found in _BODIES.items()}


def _hashes(rng: np.random.Generator, stock: int = 4096) -> Iterator[bytes]:
    digits = rng.bytes(20 * stock).hex().encode()
    return cycle([digits[at : at + 40] for at in range(0, len(digits), 40)])
