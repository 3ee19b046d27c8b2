"""JSON objects of one line: usually one, or several run together, or one cut by the next.

The time stays linear in the line: what is no JSON costs a look at the rest of the line, and there
is a limit to how often; and one to the objects of a line, which may be of two bytes each.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import islice
from typing import Any

_MAX_FAILURES = 16
_MAX_OBJECTS = 1 << 14
_SPACE, _BLANK = re.compile(r"[ \t\r]*"), re.compile(r"\s*")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_raw_decode = json.JSONDecoder().raw_decode


def json_pieces(
    line: bytes, starts: re.Pattern[str], keys: tuple[str, ...]
) -> Iterator[tuple[dict[str, Any], str] | str]:
    """Cut a line into its objects.

    Args:
        line: Without its newline; a byte order mark before it is passed over.
        starts: How an object may begin; looked for after a defect.
        keys: An object that starts there has these, or it is part of something else.

    Yields:
        An object and its text, or what is wrong, without any of the text.
    """
    text = line.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
    at: int | None = 0
    failures = objects = 0
    while at is not None and not _BLANK.fullmatch(text, at):
        found, end, problem = _first_object(text, at)
        if found is not None:
            objects += 1
            if objects > _MAX_OBJECTS:
                yield f"more than {_MAX_OBJECTS} objects; the rest of the line is given up"
                return
            yield found, text[at:end]
            at = end
            continue
        at, tried = _next_start(text, at + 1, starts, keys, _MAX_FAILURES - failures)
        failures += tried + 1
        yield problem + ("; the rest of the line is given up" if failures >= _MAX_FAILURES else "")


def _first_object(text: str, at: int) -> tuple[dict[str, Any] | None, int, str]:
    """The JSON object that starts at `at`: (object, end, "") or (None, at, what is wrong)."""
    start = _SPACE.match(text, at)
    try:
        value, end = _raw_decode(text, start.end() if start else at)
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        return None, at, f"not JSON{place}"
    if not isinstance(value, dict):
        return None, at, f"a JSON {type(value).__name__}, not an object"
    if _NOT_UTF8.search(text, at, end):
        return None, at, "not UTF-8"
    return value, end, ""


def _next_start(
    text: str, at: int, starts: re.Pattern[str], keys: tuple[str, ...], tries: int
) -> tuple[int | None, int]:
    """Where, after a defect, a whole object starts again, and the places tried before."""
    tried = 0
    for match in islice(starts.finditer(text, at), max(tries, 0)):
        found, _, _ = _first_object(text, match.start())
        if found is not None and all(key in found for key in keys):
            return match.start(), tried
        tried += 1
    return None, tried
