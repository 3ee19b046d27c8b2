"""A result file, read with suspicion.

A file that is too large, no JSON, or holds what a section cannot use is a `Wrong`, whose message
names file and key; the section says so, the others stand.
"""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from jepa_ray.report.text import clean
from jepa_ray.storage import join, list_sizes, read_bytes

MAX_BYTES = 64 << 20
MAX_ROWS = 100_000
MAX_DATASETS = 256
_MAX_INT = 2**63  # seeds go that far
_MAX_FLOAT = 1e30

T = TypeVar("T")


class Wrong(Exception):  # noqa: N818 - it becomes a sentence of the page
    """A result file, or a key of it, that cannot be used; the message names both."""


def unforeseen(error: Exception) -> str:
    """What is said where values of the right type cannot be shown all the same."""
    return f"Its numbers cannot be shown ({type(error).__name__}: {clean(error, 200)})."


@dataclass(frozen=True)
class Source:
    """A JSON document, or a part of one.

    Attributes:
        file: How the file is called on the page.
        value: What stands there.
        key: Where in the file; "" for all of it.
        fault: Why there is no value; None where there is one.
    """

    file: str
    value: Any
    key: str = ""
    fault: str | None = None

    def read(self, form: type[T]) -> T:
        """The keys of a form.

        Raises:
            Wrong: They are not there, or of another type.
        """
        if self.fault is not None:
            raise Wrong(self.fault)
        try:
            return msgspec.convert(self.value, form)
        except (msgspec.ValidationError, UnicodeError) as error:
            raise Wrong(f"{self.file}: {self._placed(str(error))}") from None

    def _placed(self, said: str) -> str:
        """A message with the key as it is in the file."""
        said = said if "`$" in said or not self.key else f"{said} - at `$`"
        return clean(said.replace("`$", f"`$.{self.key}" if self.key else "`$"), 300)

    def has(self, key: str) -> bool:
        """Whether a key is there; a file that cannot be read has all, so that the fault is said."""
        if self.fault is not None:
            return True
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def parts(self, key: str) -> dict[str, "Source"]:
        """The documents below a key, by name.

        Raises:
            Wrong: It is no object.
        """
        if self.fault is not None:
            raise Wrong(self.fault)
        found = self.value.get(key) if isinstance(self.value, dict) else None
        if not isinstance(found, dict):
            raise Wrong(f"{self.file}: Object expected - at `$.{key}`")
        shown = list(found.items())[:MAX_DATASETS]
        return {name: Source(self.file, part, f"{key}.{clean(name, 40)}") for name, part in shown}


def load(folder: str, name: str) -> Source:
    """A JSON file; what is wrong with it is its fault."""
    raw = _bytes(folder, name)
    if isinstance(raw, Source):
        return raw
    try:
        document, odd = _finite(json.loads(raw))
    except (ValueError, RecursionError) as error:
        return Source(name, None, "", f"{name} is not JSON: {clean(error, 120)}")
    if not isinstance(document, dict):
        return Source(name, None, "", f"{name} is not a JSON object")
    return Source(name, document, "", _odd(name, odd))


def load_rows(folder: str, name: str) -> Source:
    """A file of JSON lines."""
    raw = _bytes(folder, name)
    if isinstance(raw, Source):
        return raw
    rows = []
    for i, line in enumerate(raw.splitlines()[:MAX_ROWS], start=1):
        try:
            row, odd = _finite(json.loads(line))
        except (ValueError, RecursionError) as error:
            return Source(name, None, "", f"{name}, line {i} is not JSON: {clean(error, 120)}")
        if odd:
            return Source(name, None, "", _odd(f"{name}, line {i}", odd))
        rows.append(row)
    return Source(name, rows)


def _bytes(folder: str, name: str) -> bytes | Source:
    """The content of a file, or the fault."""
    place, _, file = name.rpartition("/")
    try:
        size = list_sizes(join(folder, place) if place else folder).get(file)
        if size is not None and size > MAX_BYTES:
            said = f"{name} has {size:,} bytes, the report reads {MAX_BYTES:,} at most"
            return Source(name, None, "", said)
        return read_bytes(join(folder, name))
    except (FileNotFoundError, NotADirectoryError):
        return Source(name, FileNotFoundError, "", f"{name} is not there")
    except OSError as error:
        return Source(name, None, "", f"{name} cannot be read: {error.strerror or 'OSError'}")


def _odd(name: str, keys: list[str]) -> str | None:
    """What is said of numbers that are none."""
    if not keys:
        return None
    more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
    return f"{name}: {clean(keys[0], 120)} is no number that can be used{more}"


def _finite(document: Any) -> tuple[Any, list[str]]:
    """The document, and the keys of numbers that are not finite or too large to be any."""
    odd: list[str] = []
    stack: list[tuple[str, Any]] = [("$", document)]
    while stack:
        key, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{key}.{k[:60]}", v) for k, v in value.items()]
        elif isinstance(value, list):
            stack += [(f"{key}[{i}]", v) for i, v in enumerate(value)]
        elif isinstance(value, int | float) and not _usable(value):
            odd.append(key)
    return document, odd


def _usable(value: float) -> bool:
    """Whether a number is finite, and of a size that can be drawn or that 64 bits hold."""
    return abs(value) < (_MAX_FLOAT if isinstance(value, float) else _MAX_INT)
