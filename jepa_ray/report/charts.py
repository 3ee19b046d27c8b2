"""Charts of the page: curves, small multiples, dots with their intervals, spectra, the map."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from jepa_ray.report.figure import GRID, INK, MARKERS, PAPER, SERIES, SOFT, draw
from jepa_ray.report.text import Estimate, clean, estimate, number

LABEL_CHARS = 32
MAX_LINE_POINTS = 400
WIDTH = 8.4
_PANELS = 4
_SMALLEST_PLAIN = 1e-4
_NARROW_DECADES = 1.2
_MAP_POINTS = 2000


@dataclass(frozen=True)
class Line:
    """A curve: its name, steps and values; what is not known is left out."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]

    def known(self, *, positive: bool) -> tuple[list[float], list[float]]:
        """The points that can be drawn, thinned to what an eye can see."""
        points = [
            (a, b)
            for a, b in zip(self.x, self.y, strict=False)
            if b is not None and (b > 0 or not positive)
        ]
        step = max(1, math.ceil(len(points) / MAX_LINE_POINTS))
        kept = points[::step] + (points[-1:] if (len(points) - 1) % step else [])
        return [a for a, _ in kept], [b for _, b in kept]


@dataclass(frozen=True)
class Panel:
    """A small chart of several curves."""

    title: str
    lines: Sequence[Line]
    log: bool = False


def colour(i: int) -> str:
    """The i-th colour."""
    return SERIES[i % len(SERIES)]


def short(text: object) -> str:
    """A label that leaves room for the chart."""
    return clean(text, LABEL_CHARS) or "(no name)"


def log_scale(axis: Any) -> None:
    """A logarithmic axis whose ticks are plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator  # noqa: PLC0415

    axis._set_axes_scale("log")  # noqa: SLF001 - of one axis, whichever it is
    low, high = axis.get_view_interval()
    narrow = low > 0 and math.log10(max(high / low, 1.0001)) < _NARROW_DECADES
    axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5) if narrow else (1,), numticks=7))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def plain(value: float) -> str:
    """A tick of a logarithmic axis."""
    return f"{value:g}" if value >= _SMALLEST_PLAIN else number(value, 1)


def curves(key: str, panels: Sequence[Panel], *, what: str, label: str) -> Markup:
    """Panels of curves over steps, side by side, that share both axes' kinds."""
    columns = min(_PANELS, len(panels)) if len(panels) > 2 else len(panels)
    rows = math.ceil(len(panels) / columns)
    height = 3.1 if rows == 1 else 1.75 * rows + 0.4

    def paint(figure: Any) -> None:
        grid = figure.subplots(rows, columns, squeeze=False)
        for i, axes in enumerate(grid.flat):
            if i >= len(panels):
                axes.set_axis_off()
                continue
            _lines(axes, panels[i])
            if i % columns == 0:
                axes.set_ylabel(what)
            if i + columns >= len(panels):
                axes.set_xlabel("step")
        _shared_legend(figure, grid.flat[0])

    return draw(key, (WIDTH, height), paint, label=label)


def _lines(axes: Any, panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    for i, line in enumerate(panel.lines):
        x, y = line.known(positive=panel.log)
        single = {"marker": "o", "markersize": 4} if len(x) == 1 else {}
        axes.plot(x, y, color=colour(i), label=short(line.name), alpha=0.9, **single)
    axes.set_title(clean(panel.title, 24) or "(no name)", fontsize=8.5)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if panel.log and any(line.known(positive=True)[0] for line in panel.lines):
        log_scale(axes.yaxis)


def _shared_legend(figure: Any, axes: Any) -> None:
    handles, names = axes.get_legend_handles_labels()
    if len(handles) > 1:
        figure.legend(
            handles[:12], names[:12], loc="outside lower center", ncols=min(6, len(handles))
        )


@dataclass(frozen=True)
class Dot:
    """A row of a dot chart."""

    name: str
    found: Estimate
    strong: bool = False


def dots(
    key: str,
    rows: Sequence[Dot],
    *,
    what: str,
    label: str,
    zero: float | None = None,
    log: bool = False,
    floor: float | None = None,
) -> Markup:
    """Numbers with their intervals, a row each, the largest values written out.

    Args:
        key: Of the drawing.
        rows: From top to bottom.
        what: The horizontal axis.
        label: For screen readers.
        zero: Where to draw a line to compare with.
        log: Whether the axis is logarithmic, where all numbers are above 0; an interval that
            reaches 0 is drawn to the edge.
        floor: Values below it are drawn as an arrow at the edge.
    """
    shown = [row for row in rows if row.found.value is not None]

    edge = _left_edge(shown) if log else None

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        _dots(axes, shown, floor if edge is None else edge)
        if zero is not None:
            axes.axvline(zero, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        axes.set_xlabel(what)
        if edge is not None:
            axes.set_xlim(left=edge)
            log_scale(axes.xaxis)

    return draw(key, (WIDTH, 0.7 + 0.3 * len(shown)), paint, label=label)


def _left_edge(rows: Sequence[Dot]) -> float | None:
    """Where a logarithmic axis begins; None where a number has no place on it."""
    if not all((row.found.value or 0) > 0 for row in rows):
        return None
    return min((x for row in rows for x in row.found if x is not None and x > 0), default=1.0) / 1.3


def _dots(axes: Any, rows: Sequence[Dot], floor: float | None) -> None:
    """The rows; what lies below the floor is an arrow."""
    for y, row in enumerate(rows):
        value, low, high = row.found
        assert value is not None
        tint = SERIES[0] if row.strong or not any(r.strong for r in rows) else SOFT
        below = floor is not None and value < floor
        at = floor if below and floor is not None else value
        if row.found.has_interval and low is not None and high is not None:
            left, right = (max(e, floor) if floor is not None else e for e in (low, high))
            axes.plot([left, right], [y, y], color=tint, linewidth=2, alpha=0.55)
        axes.plot([at], [y], "<" if below else "o", color=tint, markersize=6)
        axes.text(
            1.015, y, estimate(row.found), transform=axes.get_yaxis_transform(),
            va="center", fontsize=8.5, color=INK, parse_math=False,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [short(row.name) for row in rows])
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
        text.set_color(INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def by_distance(key: str, names: Sequence[str], found: Sequence[Estimate], *, label: str) -> Markup:
    """Skill against the distance to the nearest visible slot."""

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        at = [i for i, e in enumerate(found) if e.value is not None]
        values = [found[i].value for i in at]
        for i in at:
            low, high = found[i].low, found[i].high
            if low is not None and high is not None:
                axes.plot([i, i], [low, high], color=SERIES[0], linewidth=2, alpha=0.55)
        axes.plot(at, values, "o-", color=SERIES[0], markersize=5)
        axes.axhline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xticks(range(len(names)), [short(n) for n in names])
        axes.set_xlabel("slots to the nearest visible slot")
        axes.set_ylabel("skill")

    return draw(key, (WIDTH, 2.8), paint, label=label)


def spectrum(key: str, lines: Mapping[str, Sequence[float]], *, label: str) -> Markup:
    """Singular values, largest first, each divided by the largest."""

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        for i, (name, values) in enumerate(lines.items()):
            seen = [max(v, 1e-9) for v in values]
            axes.plot(range(1, len(seen) + 1), seen, color=SERIES[i], label=short(name))
            if seen:
                axes.plot(1, seen[0], "os"[i % 2], color=SERIES[i], markersize=5)
        axes.set_xlabel("direction (largest first)")
        axes.set_ylabel("singular value / largest")
        seen = [v for values in lines.values() for v in values if v > _SMALLEST_PLAIN / 10]
        axes.set_ylim(bottom=min(seen, default=1) / 2)
        log_scale(axes.yaxis)
        axes.legend(loc="upper right")  # the curves fall from the left

    return draw(key, (WIDTH, 3.0), paint, label=label)


def plane(
    key: str, x: Sequence[float], y: Sequence[float], group: Sequence[int], names: Sequence[str],
    axes_names: tuple[str, str], *, label: str,
) -> Markup:  # fmt: skip
    """Windows as points, coloured and marked by dataset; each dataset's name at its middle."""
    xs, ys, of = (np.asarray(v[:_MAP_POINTS], float) for v in (x, y, group))

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        for i, name in enumerate(names):
            mine = of == i
            if not mine.any():
                continue
            axes.plot(
                xs[mine], ys[mine], MARKERS[(i + i // 8) % 8], color=colour(i), markersize=3.4,
                markeredgewidth=0, alpha=0.6, label=f"{i + 1}  {short(name)}",
            )  # fmt: skip
        _middles(axes, xs, ys, of, names)
        axes.set_xlabel(axes_names[0])
        axes.set_ylabel(axes_names[1])
        figure.legend(loc="outside right upper", markerscale=2)

    return draw(key, (WIDTH, 4.2), paint, label=label)


def _middles(axes: Any, xs: Any, ys: Any, of: Any, names: Sequence[str]) -> None:
    """A number at the middle of each dataset, moved up where another one is already."""
    span = [float(np.ptp(v)) or float(np.abs(v).max()) or 1.0 for v in (ys, xs)]
    taken: list[tuple[float, float]] = []
    for i in range(len(names)):
        mine = of == i
        if not mine.any():
            continue
        x, y = float(np.median(xs[mine])), float(np.median(ys[mine]))
        for _ in taken:  # each is passed once at most
            if any(abs(y - b) < 0.05 * span[0] and abs(x - a) < 0.05 * span[1] for a, b in taken):
                y += 0.05 * span[0]
        taken.append((x, y))
        axes.text(
            x, y, str(i + 1), ha="center", va="center", fontsize=8.5, fontweight="bold", color=INK,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": PAPER, "edgecolor": colour(i)},
        )  # fmt: skip
    axes.grid(color=GRID)
