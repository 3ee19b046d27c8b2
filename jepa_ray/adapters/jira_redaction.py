"""Issues in the reference form without their texts, whose windows stay the same."""

import datetime as dt
from random import Random
from typing import Any

_FILLER = str.maketrans("01", "x.")


class Redaction:
    """Takes the text out of issues, one after the other.

    Characters become `x` or a dot, drawn from a generator of a fixed seed: so many times the same
    one would be packed so well that a reader takes it for a decompression bomb.
    """

    def __init__(self) -> None:
        self._bits = Random(0).getrandbits  # noqa: S311 - there is nothing to guess

    def issue(self, issue: dict[str, Any]) -> dict[str, Any] | None:
        """The issue without its text; None where one of its times is something else.

        `prepare` rejects such an issue too.
        """
        if not all(map(_is_time, (issue["created"], issue["dueDate"]))):
            return None
        return issue | {name: self._text(issue[name]) for name in ("summary", "description")}

    def _text(self, value: Any) -> Any:
        """As many characters, none of them said; of a document the structure that is measured."""
        if isinstance(value, str):
            return f"{self._bits(len(value)):0{len(value)}b}".translate(_FILLER) if value else ""
        if isinstance(value, list):
            return [self._text(child) for child in value]
        if isinstance(value, dict):
            return {
                name: self._text(value[name]) if name in ("text", "content") else None
                for name in ("type", "text", "content")
                if name in value
            }
        return None


def _is_time(value: Any) -> bool:
    """Whether it is nothing, or what the reader of the reference form takes for a time."""
    if value is None or value == "":
        return True
    try:
        dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True
