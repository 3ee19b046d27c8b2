"""Tokens as JSON text: 96 lists of 16 numbers a window, from runs and back.

Nearly all tokens of a window are empty, and most windows of a dataset share their few others. So a
window's text is put together from pieces that were made once, and read back by looking pieces up:
each distinct token is parsed and checked once.
"""

import re
from array import array
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows import (
    FEATURE_COUNT,
    FEATURES,
    POSITION_VALUES,
    POSITIONS,
    SLOTS,
    STORED,
    SparseWindows,
    sparse_of_codes,
)

_KEPT = 50_000
"""Distinct tokens remembered, about 20 MB; beyond, they are looked at anew."""

_KEPT_WHOLE = 2_000
"""Distinct windows remembered by their whole text, about 17 MB: many are copies of one another."""

_WHOLE_BYTES = 16 << 10
_MOST_BYTES = 128 << 10
"""Of one window's text: ours has 8 kB, doubles in full with blanks between them 40 kB."""

_DECIMALS = range(3, 10)
_SLOT_OF = {
    float(np.float32(position)): slot
    for slot in range(SLOTS)
    for position in (slot / (SLOTS - 1), *(round(slot / (SLOTS - 1), n) for n in _DECIMALS))
}
"""The slot of each position that a producer can write: slot / 95, exact or rounded."""


class BadTokensError(Exception):
    """Tokens that are no window: slug and detail."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(slug, detail)
        self.slug = slug
        self.detail = detail


def number_text(value: np.float32) -> str:
    """The shortest decimal that a reader of doubles turns into the same float32."""
    text = str(value)
    return text if np.float32(float(text)) == value else repr(float(value))


_HEADS = [
    f"{',' if slot else ''}[{text},{text}".encode()
    for slot, text in enumerate(map(number_text, POSITION_VALUES))
]
"""How the text of each slot begins: its two positions."""

_NOTHING = b",0.0" * len(STORED) + b"]"
_BLANK = b"".join(head + _NOTHING for head in _HEADS)
_START = np.cumsum([0, *(len(head) + len(_NOTHING) for head in _HEADS)]).tolist()
"""The text of an empty window, and where each slot of it begins."""


class TokenWriter:
    """Writes windows as the text between the outer brackets of `tokens`."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def texts(self, windows: SparseWindows) -> list[bytes]:
        """The text of each window, 8 kB or so, with the shortest number of each float32."""
        if len(self._known) > _KEPT:
            self._known.clear()
        raw, size = windows.values.tobytes(), windows.values.itemsize * len(STORED)
        values = [self._values(raw[at : at + size]) for at in range(0, len(raw), size)]
        runs = list(zip(windows.first.tolist(), windows.last.tolist(), values, strict=True))
        return [_text(runs[at:end]) for at, end in pairwise(windows.offsets.tolist())]

    def _values(self, raw: bytes) -> bytes:
        """How the text of a slot with these 14 values goes on after its positions."""
        found = self._known.get(raw)
        if found is None:
            numbers = np.frombuffer(raw, np.float32)
            found = "".join(f",{number_text(number)}" for number in numbers).encode() + b"]"
            self._known[raw] = found
        return found


def _text(runs: list[tuple[int, int, bytes]]) -> bytes:
    """The text of one window; a run's values stand between the heads of its slots."""
    pieces: list[bytes] = []
    at = 0
    for first, last, values in runs:
        blank, heads = _BLANK[_START[at] : _START[first]], _HEADS[first : last + 1]
        pieces += (blank, values.join(heads), values)
        at = last + 1
    return b"".join([*pieces, _BLANK[_START[at] :]])


_TOKEN = re.compile(rb"\s*(?:\[\s*\[|,\s*\[)(.*)", re.DOTALL)
_numbers = msgspec.json.Decoder(list[float]).decode
_SHAPE = f"tokens must be {SLOTS} lists of {FEATURE_COUNT} numbers"


class TokenReader:
    """Reads `tokens` back: each distinct token is looked at once."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._whole: dict[bytes, bytes] = {}
        self._known: dict[bytes, int] = {}
        self._slots: list[int] = []
        self._codes: list[int] = []
        self._values: dict[bytes, int] = {bytes(4 * len(STORED)): 0}

    def begin_block(self) -> None:
        """What `read` returned before is done with: what was remembered may be forgotten."""
        if len(self._known) > _KEPT:
            self._forget()

    def read(self, text: bytes) -> bytes:
        """The 96 tokens of a window as int32 that `windows` understands.

        Args:
            text: One JSON value, well formed.

        Raises:
            BadTokensError: It is not 96 x 16 numbers, or one is not in [0, 1].
        """
        found = self._whole.get(text)
        if found is None:
            found = self._read(text)
            if len(self._whole) >= _KEPT_WHOLE:
                self._whole.clear()
            if len(text) <= _WHOLE_BYTES:
                self._whole[text] = found
        return found

    def _read(self, text: bytes) -> bytes:
        if len(text) > _MOST_BYTES:
            raise BadTokensError("bad_shape", f"tokens are longer than {_MOST_BYTES} bytes")
        pieces = text.split(b"]")
        if len(pieces) != SLOTS + 2 or pieces.pop().strip() or pieces.pop().strip():
            raise BadTokensError("bad_shape", _SHAPE)
        for slot, piece in enumerate(pieces):
            if piece not in self._known:
                self._learn(piece, slot)
        return array("i", map(self._known.__getitem__, pieces)).tobytes()

    def windows(self, read: list[bytes]) -> tuple[SparseWindows, NDArray[np.bool_]]:
        """Windows of one block, and which of them have the positions of their slots.

        Args:
            read: From `read`, since the last `begin_block`.

        Returns:
            n windows, bool (n,).
        """
        tokens = np.frombuffer(b"".join(read), np.int32).reshape(-1, SLOTS)
        placed = np.array([*self._slots, 0])[tokens] == np.arange(SLOTS)
        values = np.frombuffer(b"".join(self._values), np.float32).reshape(-1, len(STORED))
        return sparse_of_codes(np.array([*self._codes, 0])[tokens], values), placed.all(axis=1)

    def _learn(self, piece: bytes, slot: int) -> None:
        """Parse and check the text of a token that stands in a slot."""
        numbers = _token(piece, slot)
        token = np.array(numbers, np.float32)
        places = {_SLOT_OF.get(position, -1) for position in token[:POSITIONS].tolist()}
        self._slots.append(places.pop() if len(places) == 1 else -1)
        stored = token[POSITIONS:].tobytes()
        self._codes.append(self._values.setdefault(stored, len(self._values)))
        self._known[piece] = len(self._known)


def _token(piece: bytes, slot: int) -> list[float]:
    match = _TOKEN.fullmatch(piece)
    try:
        numbers = _numbers(b"[" + match[1] + b"]") if match else []
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            detail = f"a number of slot {slot} is not finite"
            raise BadTokensError("bad_value", detail) from None
        raise BadTokensError("bad_shape", _SHAPE) from None
    except msgspec.DecodeError:
        raise BadTokensError("bad_shape", _SHAPE) from None
    if len(numbers) != FEATURE_COUNT:
        raise BadTokensError("bad_shape", _SHAPE)
    if min(numbers) < 0 or max(numbers) > 1:
        bad = next(n for n, v in zip(FEATURES, numbers, strict=True) if not 0 <= v <= 1)
        raise BadTokensError("bad_value", f"{bad} of slot {slot} is outside [0, 1]")
    return numbers
