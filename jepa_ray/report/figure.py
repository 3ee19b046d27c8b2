"""Drawings as inline SVG that takes its colours and font from the page, light or dark.

matplotlib draws with marker colours; afterwards each becomes a variable of the style sheet. Text
stays text, never a formula. The same data gives the same bytes.
"""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any, Final

from markupsafe import Markup

INK: Final = "#0a0b01"
SOFT: Final = "#0a0b02"
GRID: Final = "#0a0b03"
PAPER: Final = "#0a0b04"
GOOD: Final = "#0a0b05"
BAD: Final = "#0a0b06"
SERIES: Final = tuple(f"#0a0c0{i}" for i in range(8))
"""Eight colours that colour-blind readers tell apart (Okabe and Ito 2008), by the style sheet."""
MARKERS: Final = "osD^vP*X"

_VARIABLES = {
    INK: "ink",
    SOFT: "soft",
    GRID: "grid",
    PAPER: "paper",
    GOOD: "good",
    BAD: "bad",
} | {colour: f"c{i}" for i, colour in enumerate(SERIES)}

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "jepa-ray",
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "text.color": INK,
    "axes.titlecolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


def draw(
    key: str, size: tuple[float, float], paint: Callable[[Any], None], *, label: str
) -> Markup:
    """A drawing as an `<svg>` element.

    Args:
        key: Unlike that of any other drawing of the page; letters, digits and dashes.
        size: Inches; an inch is 72 units of the drawing.
        paint: Is given the matplotlib Figure.
        label: What a screen reader says.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, only needed here
    from matplotlib.figure import Figure  # noqa: PLC0415

    buffer = io.StringIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Glyph.*")  # the browser has other fonts
        warnings.filterwarnings("ignore", message=".*constrained_layout.*")
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return Markup(_inline(buffer.getvalue(), key, label))  # noqa: S704 - matplotlib escapes text


def _inline(text: str, key: str, label: str) -> str:
    """The `<svg>` element of a whole SVG file, with ids of its own."""
    text = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL
    )
    view = re.search(r'viewBox="([0-9. ]+)"', text)
    assert view is not None
    body = text[text.index(">", text.index("<svg")) + 1 :].strip().removesuffix("</svg>")
    body = re.sub(r"<[^<>]*>", lambda tag: _themed(tag[0], key), body)
    body = re.sub(r"\n\s*", "\n", body)
    head = f'<svg class="plot" viewBox="{view[1]}" role="img" aria-label="{Markup.escape(label)}">'
    return f"{head}{body}</svg>"


def _themed(tag: str, key: str) -> str:
    """A tag with the page's colours and font, and ids that no other drawing has."""
    for colour, name in _VARIABLES.items():
        tag = tag.replace(colour, f"var(--{name})")
    if tag.startswith("<g "):
        tag = re.sub(r' id="[^"]*"', "", tag)
    tag = re.sub(r'\bid="', f'id="{key}-', tag)
    tag = tag.replace("url(#", f"url(#{key}-").replace('href="#', f'href="#{key}-')
    return tag.replace("font-family: 'DejaVu Sans'", "font-family: var(--font)")
