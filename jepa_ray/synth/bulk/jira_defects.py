"""What can be wrong with a document of the dump, and what `prepare` has to make of it."""

from collections.abc import Callable
from typing import NamedTuple

import bson
import numpy as np

from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.jira_forms import Hit, document, encoded, string

_FIELDS = b"\x03fields\0"
_FAILED = bson.encode({"errorMessages": ["made up for a test"], "errors": {}})[4:-1]


class _Defect(NamedTuple):
    """A way to break a document; `skipped` ones are fine, but no issues."""

    slug: str
    spoilt: Callable[[Hit], bytes]
    skipped: bool = False


class Spoiler:
    """Breaks some of the documents of a piece, and keeps account of all of them."""

    def __init__(
        self, rng: np.random.Generator, count: int, share: float, expected: Expected
    ) -> None:
        broken = rng.random(count) < share
        kinds = rng.integers(0, len(_DEFECTS), count)
        self._plan = iter(np.where(broken, kinds, -1).tolist())
        self._expected = expected

    def document(self, hit: Hit) -> bytes:
        """The next issue as BSON."""
        kind = next(self._plan)
        if kind < 0:
            self._expected.windows += 1
            return encoded(hit)
        found = _DEFECTS[kind]
        counts = self._expected.skipped if found.skipped else self._expected.quarantined
        counts[found.slug] += 1
        return found.spoilt(hit)


def _with(name: str, text: bytes | None) -> Callable[[Hit], bytes]:
    """Puts another text into a field, or leaves it out."""
    element = b"" if text is None else string(name, text)
    return lambda hit: encoded(hit._replace(values=hit.values | {name: element}))


def _with_length_of_fields(length: int) -> Callable[[Hit], bytes]:
    """A document whose inner document says that it has another length."""

    def spoilt(hit: Hit) -> bytes:
        whole = encoded(hit)
        at = whole.index(_FIELDS) + len(_FIELDS)
        return whole[:at] + length.to_bytes(4, "little", signed=True) + whole[at + 4 :]

    return spoilt


_DEFECTS = (
    _Defect("not_an_issue", lambda hit: document((hit.object_id, _FAILED)), skipped=True),
    _Defect("malformed_document", _with_length_of_fields(2**31 - 1)),
    _Defect("malformed_document", _with_length_of_fields(-7)),
    _Defect("malformed_document", _with("summary", b"not \xff UTF-8")),
    _Defect("missing_field", _with("created", None)),
    _Defect("missing_field", lambda hit: encoded(hit._replace(number=None))),
    _Defect("bad_time", _with("created", b"last Tuesday")),
    _Defect("bad_time", _with("duedate", b"when it is done")),
    _Defect("implausible_date", _with("created", b"1970-01-01T00:00:00.000+0000")),
)
