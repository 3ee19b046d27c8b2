"""Text of result files made safe to show, and numbers as a reader wants them.

Names and reasons in result files may come from anywhere: control characters, direction marks and
line breaks go, what is too long is cut. Escaping for HTML is the template's work (autoescape), for
SVG matplotlib's; Markdown is escaped here.
"""

import hashlib
import math
import re
import unicodedata
from typing import NamedTuple

NAME_CHARS = 48
TEXT_CHARS = 1200
NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_TIMES = "\N{MULTIPLICATION SIGN}"
_MAX_DECIMALS = 6
_TINY = 1e-3
_LARGE = 1e4
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_PLAIN = re.compile(r"[A-Za-z0-9]+(?:[_. -][A-Za-z0-9]+)*")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~&!@$])")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Estimate(NamedTuple):
    """A number and the interval of it.

    Attributes:
        value: The number; None where it is not known.
        low, high: Ends of its 95 % interval; None where there is none.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known and differ."""
        return self.low is not None and self.high is not None and self.low != self.high


def clean(text: object, limit: int = TEXT_CHARS) -> str:
    """One line of visible characters, `limit` at most."""
    raw = str(text)[: limit * 4]
    visible = (" " if c.isspace() else c for c in raw)
    shown = "".join(c for c in visible if unicodedata.category(c) not in _HIDDEN)
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def name(text: object) -> str:
    """A name as it is shown: cleaned, not too long, never empty."""
    return clean(text, NAME_CHARS) or "(no name)"


def markdown(text: object, limit: int = TEXT_CHARS) -> str:
    """Text that stays text in Markdown: in a paragraph, a heading, a cell of a table or a link."""
    line = clean(text, limit)
    if _PLAIN.fullmatch(line) and "www." not in line.lower():
        return line
    marked = _SPECIAL.sub(r"\\\1", line).replace("://", r":\//")
    marked = re.sub(r"(?i)\bwww\.", lambda found: found[0][:3] + r"\.", marked)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", marked))


def file_name(text: str) -> str:
    """A file name for a name: itself where that is plain, else what is plain of it and a hash."""
    if _FILE_NAME.fullmatch(text) and not text.endswith("."):
        return text
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text[:200]).strip("-")[:40]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{plain or 'dataset'}-{digest}"


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return NONE if value is None else f"{value:,.0f}".replace("-", MINUS)


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits."""
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    if size == 0:
        return "0"
    if size >= _LARGE:
        return _power(value, digits) if size >= _LARGE**3 else count(value)
    if size < _TINY:
        return _power(value, digits)
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return fixed(value, decimals)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; never a negative zero."""
    shown = f"{value:,.{decimals}f}"
    if not shown.strip("-0.,"):
        shown = shown.removeprefix("-")
    return shown.replace("-", MINUS)


def _power(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    shown = f"{mantissa} {_TIMES} 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return shown.replace("-", MINUS)


def percent(value: float | None) -> str:
    """A share as per cent, with two decimals."""
    return NONE if value is None else f"{value * 100:,.2f} %".replace("-", MINUS)


def estimate(found: Estimate | None) -> str:
    """A number with its interval: as many decimals as the interval makes worth while."""
    if found is None or found.value is None:
        return NONE
    if not found.has_interval:
        return number(found.value)
    return f"{_like(found.value, found)} {interval(found)}"


def interval(found: Estimate | None) -> str:
    """The interval alone; a dash where there is none."""
    if found is None or not found.has_interval:
        return NONE
    return f"[{_like(found.low, found)}, {_like(found.high, found)}]"


def _like(value: float | None, found: Estimate) -> str:
    """A number rounded as the interval of `found` asks for."""
    assert value is not None
    assert found.low is not None
    assert found.high is not None
    width = abs(found.high - found.low)
    decimals = 1 - math.floor(math.log10(width)) if width > 0 else _MAX_DECIMALS
    largest = max(abs(found.low), abs(found.high))
    if decimals > _MAX_DECIMALS or largest >= _LARGE**2:
        return number(value)
    return fixed(value, max(0, decimals))
