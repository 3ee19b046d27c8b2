"""What can be wrong with a mail in an archive, and the slug that `prepare` has to give it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.tar_blocks import FILE, LINK, damaged, member

_DAMAGED = "damaged_tar_header"


class _Defect(NamedTuple):
    """A way to break a mail, given its path and text, into a member of the archive."""

    slug: str
    spoilt: Callable[[bytes, bytes], bytes]


class Spoiler:
    """Breaks some of the mails of a piece, and keeps account of all of them."""

    def __init__(
        self, rng: np.random.Generator, count: int, share: float, expected: Expected
    ) -> None:
        broken = rng.random(count) < share
        kinds = rng.integers(0, len(_DEFECTS), count)
        self._plan = iter(np.where(broken, kinds, -1).tolist())
        self._expected = expected
        self._lost = False  # two damaged headers in a row are one defect

    def member(self, path: bytes, text: bytes) -> bytes:
        """The next mail as a member of the archive."""
        kind = next(self._plan)
        defect = _DEFECTS[kind] if kind >= 0 else None
        if defect and defect.slug == _DAMAGED and self._lost:
            defect = None
        self._lost = defect is not None and defect.slug == _DAMAGED
        if defect is None:
            self._expected.windows += 1
            return member(path, FILE, text)
        self._expected.quarantined[defect.slug] += 1
        return defect.spoilt(path, text)


def _dated(value: bytes | None) -> Callable[[bytes, bytes], bytes]:
    """Puts another date, or none, into the header."""

    def spoilt(path: bytes, text: bytes) -> bytes:
        before, _, after = text.partition(b"Date: ")
        rest = after.partition(b"\n")[2]
        line = b"" if value is None else b"Date: " + value + b"\n"
        return member(path, FILE, before + line + rest)

    return spoilt


def _no_headers(path: bytes, text: bytes) -> bytes:
    return member(path, FILE, text.partition(b"\n\n")[2].replace(b":", b" ") + b"\n")


_DEFECTS = (
    _Defect("missing_date", _dated(None)),
    _Defect("bad_date", _dated(b"some time in spring")),
    _Defect("implausible_date", _dated(b"Mon, 31 Dec 1979 16:00:00 -0800 (PST)")),
    _Defect("implausible_date", _dated(b"Tue, 5 Jan 2044 03:12:00 -0800 (PST)")),
    _Defect("empty_message", lambda path, _: member(path)),
    _Defect("empty_message", lambda path, _: member(path, FILE, b"\n \n")),
    _Defect("not_a_mail", _no_headers),
    _Defect(_DAMAGED, lambda path, text: damaged(member(path, FILE, text))),
    _Defect("unsafe_member", lambda path, _: member(path, LINK)),
    _Defect("unsafe_member", lambda path, text: member(b"../" + path, FILE, text)),
)
