"""The `metadata` of a record: the columns of a window that have no key of their own, and counts.

The keys of `KEYS` are columns of the window table. All others are the adapter's lengths, counts and
flags. Of those, an import keeps what adapters of this package write, `OWN`, where the values are of
that kind. Any other key could be a name, as any text could: it is dropped, and counted but not
named.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa

from jepa_ray.errors import CorpusError
from jepa_ray.exchange.times import read_due, time_texts
from jepa_ray.windows import NO_OFFSET, NO_TIME, NameHasher

KEYS = ("timed", "utc_offset_minutes", "due", "actor", "project", "category")
OWN: Mapping[str, Any] = dict.fromkeys(
    (
        "candidates", "finished_before_created", "highlight_words", "judges", "judges_nobody",
        "known", "people", "responsible", "task_chars", "text_chars", "words",
    ),
    None,
) | {
    "votes": dict.fromkeys(
        ("WD", "WE"), dict.fromkeys(("morning", "afternoon", "evening", "night", "anytime"), None)
    )
}  # fmt: skip
"""What adapters write: keys whose values are a number or flag (None), or an object of such keys."""

_HASH = re.compile(r"[0-9a-f]{16}")
_OTHER = "(other keys)"
_INT64 = 2**63

ValueT = TypeVar("ValueT")


def metadata_texts(table: pa.Table) -> list[str]:
    """The JSON object of each row of `WINDOW_SCHEMA`; what a row does not have is left out.

    Raises:
        CorpusError: The metadata column of a row holds no JSON object.
    """
    n = len(table)
    due = time_texts(table["due"], [None] * n)
    columns = [table[key].to_pylist() for key in KEYS if key != "due"]
    rows = zip(*columns, due, table["metadata"].to_pylist(), strict=True)
    found = []
    for row, (timed, offset, actor, project, category, until, own) in enumerate(rows):
        text = '{"timed":true' if timed else '{"timed":false'
        if offset is not None:
            text += f',"utc_offset_minutes":{offset}'
        if until is not None:
            text += f',"due":"{until}"'
        if actor is not None:
            text += f',"actor":"{actor:016x}"'
        if project is not None:
            text += f',"project":"{project:016x}"'
        if category is not None:
            text += f',"category":{_quoted(category)}'
        if own is not None:
            text += _own_text(own, table["window_uid"][row])
        found.append(text + "}")
    return found


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _own_text(text: str, uid: pa.UInt64Scalar) -> str:
    """What an adapter's own metadata adds: `,"people":51`. A column goes before a key like it."""
    try:
        own = msgspec.json.decode(text, type=dict[str, Any])
        inner = _compact({key: value for key, value in own.items() if key not in KEYS})[1:-1]
    except (msgspec.DecodeError, RecursionError):
        raise CorpusError(
            f"the metadata of window {uid.as_py()} is no JSON object, or nested too deeply; mend "
            "its adapter and prepare the dataset again"
        ) from None
    return f",{inner}" if inner else ""


class Metadata(NamedTuple):
    """What the metadata of one record says of the columns.

    Attributes:
        timed: None where it does not say.
        offset: UTC offset in minutes; `NO_OFFSET` where it does not say.
        due_us: Local microseconds; `NO_TIME` for none.
        actor, project: Salted hashes; 0 for nobody and none.
        category: Of the record, or None.
        own: JSON object of what is kept of the keys of `OWN`; None for nothing.
    """

    timed: bool | None
    offset: int
    due_us: int
    actor: int
    project: int
    category: str | None
    own: str | None


class MetadataReader:
    """Reads the metadata of one dataset's records.

    Attributes:
        dropped: How many values were not kept: by key for those of ours, the others in one.
    """

    def __init__(self, salt: str) -> None:
        self.dropped: Counter[str] = Counter()
        self._hash = NameHasher(salt)

    def read(self, metadata: Mapping[str, Any]) -> Metadata:
        """The columns and the rest; what is of no form that we keep is counted as dropped."""
        get = metadata.get
        own = {}
        for key, value in metadata.items():
            if key in OWN and _is_as(OWN[key], value):
                own[key] = value
            elif key not in KEYS:
                self._drop(key)
        return Metadata(
            timed=self._typed("timed", get("timed"), bool),
            offset=self._offset(get("utc_offset_minutes")),
            due_us=self._due(get("due")),
            actor=self._name("actor", get("actor")),
            project=self._name("project", get("project")),
            category=self._typed("category", get("category"), str),
            own=_compact(own) if own else None,
        )

    def _typed(self, key: str, value: object, kind: type[ValueT]) -> ValueT | None:
        if isinstance(value, kind):
            return value
        self._none(key, value)
        return None

    def _offset(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < -NO_OFFSET:
            return value
        self._none("utc_offset_minutes", value)
        return NO_OFFSET

    def _due(self, value: object) -> int:
        if isinstance(value, str):
            with suppress(ValueError):
                return read_due(value)
        self._none("due", value)
        return NO_TIME

    def _name(self, key: str, value: object) -> int:
        """A hash as we write it; anything else that is a name or number is hashed."""
        if isinstance(value, str) and _HASH.fullmatch(value):
            return int(value, 16)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return self._hash(str(value)) if value != "" else 0
        self._none(key, value)
        return 0

    def _none(self, key: str, value: object) -> None:
        if value is not None:
            self._drop(key)

    def _drop(self, key: str) -> None:
        self.dropped[key if key in KEYS or key in OWN else _OTHER] += 1


def _is_as(form: Mapping[str, Any] | None, value: object) -> bool:
    """Whether a value is a number, flag or null; where a form is given, an object of its keys."""
    if form is not None:
        return isinstance(value, dict) and all(
            key in form and _is_as(form[key], inner) for key, inner in value.items()
        )
    if isinstance(value, int):
        return -_INT64 <= value < 2 * _INT64
    return value is None or (isinstance(value, float) and math.isfinite(value))


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
