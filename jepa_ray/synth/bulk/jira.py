"""Pieces of the Public Jira dump: segments of sixteen collections in turn.

True to the dump and to samples of Jiras: sixteen collections of very different size whose issues
have from 65 to 516 fields, most of them null; a changelog of 6 entries on average and 60 at most;
lengths of texts; 12 % of issues with a due date, one in ten of those the same day.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from random import Random

import numpy as np
from fastcrc import crc64
from numpy.typing import NDArray

from jepa_ray.synth.bulk.draws import Texts, generator, login, sizes
from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.jira_defects import Spoiler
from jepa_ray.synth.bulk.jira_forms import Hit, Jira, jira, nested, nothing, page, string
from jepa_ray.synth.bulk.piece import Checksum, Content, Piece
from jepa_ray.synth.mongodump import segment

FILE_NAME = "public_jira/mongodump-JiraRepos.archive"
DATABASE = "JiraReposAnon"
MEAN_BYTES = 21_500
"""Of a document, about."""
COLLECTIONS = {  # fields of an issue, and thousands of issues
    "Lumora": (211, 1015), "Quilfen": (81, 28), "Dunmarsh": (79, 9), "Vilgor": (178, 16),
    "Tamquen": (218, 275), "Orsholm": (516, 42), "Minbrook": (160, 32), "Kasvale": (120, 2),
    "Pinewell": (65, 420), "Belgarth": (220, 138), "Rosfjord": (76, 149), "Redlorn": (270, 353),
    "Sarnwick": (160, 50), "Duoterra": (163, 2), "Novquay": (102, 87), "Tarnbrook": (68, 69),
}  # fmt: skip
_STREAM = 3
_MOST_IN_A_SEGMENT = 40
_TEAMS = 12
_NUMBERS_A_PIECE = 1 << 12
_DUE, _SAME_DAY, _NO_DESCRIPTION = 0.12, 0.1, 0.06
_HISTORIES = (0, 0, 1, 1, 2, 5, 8, 13, 18, 30, 50, 60)
_COMMENTS = (0, 0, 0, 0, 1, 2, 4, 7, 10, 20, 36, 68)
_SUMMARY = (7, 15, 22, 26, 36, 50, 67, 86, 99, 134, 201, 230)
_DESCRIPTION = (1, 5, 20, 63, 143, 278, 498, 1200, 1900, 5600, 18_000, 51_000)
_FIRST_DAY, _DAYS = np.datetime64("2004-01-05T00:00:00"), 6500
_OFFSETS = (b"+0000", b"-0500", b"+0200")


def make(piece: Piece) -> Content:
    """The segments of one piece."""
    rng = generator(piece.seed, _STREAM, piece.number)
    expected = Expected()
    spoiler = Spoiler(rng, piece.records, piece.defects, expected)
    checksums: dict[str, Checksum] = {}
    segments = []
    for name, documents in _in_turn(rng, piece, spoiler):
        before = checksums.get(name, Checksum())
        checksums[name] = Checksum(crc64.xz(documents, before.value), before.bytes + len(documents))
        segments.append(segment(DATABASE, name, documents))
    return Content(b"".join(segments), expected, checksums)


def _in_turn(
    rng: np.random.Generator, piece: Piece, spoiler: Spoiler
) -> Iterator[tuple[str, bytes]]:
    """Segments of the collections, which alternate as they do in a dump."""
    shares = np.array([thousands for _, thousands in COLLECTIONS.values()], float)
    counts = rng.multinomial(piece.records, shares / shares.sum()).tolist()
    left = {n: _hits(rng, piece, n, count) for n, count in enumerate(counts) if count}
    names = list(COLLECTIONS)
    while left:
        index = int(rng.choice(list(left)))
        some = islice(left[index], int(rng.integers(1, _MOST_IN_A_SEGMENT)))
        documents = b"".join(map(spoiler.document, some))
        if documents:
            yield names[index], documents
        else:
            del left[index]


def _hits(rng: np.random.Generator, piece: Piece, index: int, count: int) -> Iterator[Hit]:
    """Issues of one collection, from the first to the last."""
    name = list(COLLECTIONS)[index]
    source = jira(piece.seed, index, COLLECTIONS[name][0])
    forms = rng.integers(0, len(source.forms), count).tolist()
    teams = rng.integers(0, _TEAMS, count).tolist()
    changelogs = _pages(rng, "histories", source.histories, sizes(rng, _HISTORIES, count))
    prefix = name[:2].upper().encode()
    first = 10_000 + piece.number * _NUMBERS_A_PIECE
    made_by = rng.bytes(7) + bytes([index])
    for n, values in enumerate(_values(rng, piece.seed, source, count)):
        number = b"%d" % (first + n)
        yield Hit(
            b"\x07_id\0" + made_by + (first + n).to_bytes(4, "big"),
            number,
            b"%b%b-%b" % (prefix, login(teams[n])[:3].upper(), number),
            values,
            next(changelogs),
            source.forms[forms[n]],
            source,
        )


def _pages(
    rng: np.random.Generator, name: str, stock: Sequence[bytes], counts: NDArray[np.int64]
) -> Iterator[bytes]:
    """Pages of a list, each of some neighbours in the stock."""
    starts = rng.integers(0, len(stock) - int(counts.max(initial=0)), len(counts))
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        yield page(name, stock[start : start + count])


def _values(
    rng: np.random.Generator, seed: int, source: Jira, count: int
) -> Iterator[dict[str, bytes]]:
    """What differs from issue to issue."""
    text = _long_text(seed)
    summaries = text.draw(rng, sizes(rng, _SUMMARY, count))
    descriptions = text.draw(rng, sizes(rng, _DESCRIPTION, count))
    comments = _pages(rng, "comments", source.comments, sizes(rng, _COMMENTS, count))
    created = np.sort(rng.random(count)) * _DAYS * 86_400
    stamps = _stamps(rng, created)
    updated = _stamps(rng, created + rng.exponential(5e6, count))
    due = _due_dates(rng, created)
    described = (rng.random(count) >= _NO_DESCRIPTION).tolist()
    for n, comment in enumerate(comments):
        yield {
            "summary": string("summary", summaries[n].replace(b"\n", b" ")),
            "description": string("description", descriptions[n])
            if described[n]
            else nothing("description"),
            "created": string("created", stamps[n]),
            "updated": string("updated", updated[n]),
            "duedate": string("duedate", due[n]) if due[n] else nothing("duedate"),
            "comment": nested("comment", comment),
        }


def _stamps(rng: np.random.Generator, seconds: NDArray[np.float64]) -> list[bytes]:
    """Seconds since the first day as `2014-05-02T10:11:12.000+0000`."""
    moments = _FIRST_DAY + seconds.astype("timedelta64[s]")
    offsets = rng.integers(0, len(_OFFSETS), len(seconds)).tolist()
    texts = np.datetime_as_string(moments).tolist()
    return [
        b"%b.000%b" % (text.encode(), _OFFSETS[n]) for text, n in zip(texts, offsets, strict=True)
    ]


def _due_dates(rng: np.random.Generator, created: NDArray[np.float64]) -> list[bytes]:
    """Due dates, b"" where there is none."""
    count = len(created)
    ahead = np.where(rng.random(count) < _SAME_DAY, 0, 1 + rng.exponential(20, count)).astype(int)
    days = (_FIRST_DAY + created.astype("timedelta64[s]")).astype("datetime64[D]") + ahead
    wanted = (rng.random(count) < _DUE).tolist()
    texts = np.datetime_as_string(days).tolist()
    return [text.encode() if has else b"" for text, has in zip(texts, wanted, strict=True)]


@lru_cache(maxsize=2)
def _long_text(seed: int) -> Texts:
    between = {b"\r\n": 0.04, b"\r\n\r\n": 0.01, b". ": 0.07, b", ": 0.05}
    return Texts(Random(seed), between | {" \u00e9tude ".encode(): 0.002})
