"""What a page is made of; the template knows how each kind is shown, and escapes all text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Verdict:
    """The traffic light: a colour, the word that says it, what it means, what to do next."""

    kind: ClassVar[str] = "verdict"
    light: str
    word: str
    meaning: str
    advice: str
    line: str


@dataclass(frozen=True)
class Fact:
    """A key number: what it is, the number, its interval, what to hold it against."""

    label: str
    value: str
    interval: str
    note: str


@dataclass(frozen=True)
class Facts:
    """Key numbers side by side."""

    kind: ClassVar[str] = "facts"
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Table:
    """A table: the first column names its row.

    Attributes:
        caption: How to read it.
        columns: Headings.
        rows: Cells, formatted; as many as there are columns.
        words: Columns that are not numbers, and so stand on the left.
        reference: Rows, by their place, that are the reference run's.
        tones: By (row, column): good, bad or plain.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = frozenset({0})
    reference: frozenset[int] = frozenset()
    tones: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A drawing; `svg` is the only text that is not escaped: `figure.draw` made it."""

    kind: ClassVar[str] = "figure"
    svg: Markup
    label: str
    caption: str


@dataclass(frozen=True)
class Fold:
    """Details that are folded away."""

    kind: ClassVar[str] = "fold"
    title: str
    blocks: Sequence["Block"]


@dataclass(frozen=True)
class Commands:
    """Commands to type."""

    kind: ClassVar[str] = "commands"
    lines: Sequence[str]


@dataclass(frozen=True)
class Absent:
    """A part that has no numbers yet, and the command that makes them."""

    kind: ClassVar[str] = "absent"
    text: str
    command: str


@dataclass(frozen=True)
class Problem:
    """A part that cannot be shown because its file is wrong."""

    kind: ClassVar[str] = "problem"
    text: str


Block = Text | Verdict | Facts | Table | Figure | Fold | Commands | Absent | Problem


@dataclass(frozen=True)
class Section:
    """A chapter of the page.

    Attributes:
        anchor: Its id.
        title: Its heading.
        blocks: What stands in it.
    """

    anchor: str
    title: str
    blocks: Sequence[Block]
