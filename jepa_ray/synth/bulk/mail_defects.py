"""What can be wrong with a mail in an archive, and the slug that `prepare` has to give it."""

from collections.abc import Callable

import numpy as np

from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.tar_blocks import FILE, LINK, damaged, member


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
        slug, spoilt = _DEFECTS[kind] if kind >= 0 else (None, _whole)
        if slug == "damaged_tar_header" and self._lost:
            slug, spoilt = None, _whole
        self._lost = slug == "damaged_tar_header"
        if slug:
            self._expected.quarantined[slug] += 1
        else:
            self._expected.windows += 1
        return spoilt(path, text)


def _whole(path: bytes, text: bytes) -> bytes:
    return member(path, FILE, text)


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


_DEFECTS: tuple[tuple[str, Callable[[bytes, bytes], bytes]], ...] = (
    ("missing_date", _dated(None)),
    ("bad_date", _dated(b"some time in spring")),
    ("implausible_date", _dated(b"Mon, 31 Dec 1979 16:00:00 -0800 (PST)")),
    ("implausible_date", _dated(b"Tue, 5 Jan 2044 03:12:00 -0800 (PST)")),
    ("empty_message", lambda path, _: member(path)),
    ("empty_message", lambda path, _: member(path, FILE, b"\n \n")),
    ("not_a_mail", _no_headers),
    ("damaged_tar_header", lambda path, text: damaged(member(path, FILE, text))),
    ("unsafe_member", lambda path, _: member(path, LINK)),
    ("unsafe_member", lambda path, text: member(b"../" + path, FILE, text)),
)
