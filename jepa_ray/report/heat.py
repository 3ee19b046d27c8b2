"""Heat maps: what a dataset's turn does to the others, and windows with what was hidden of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from jepa_ray.report.charts import WIDTH, short
from jepa_ray.report.figure import INK, SERIES, SOFT, draw
from jepa_ray.report.text import number
from jepa_ray.windows import FEATURES, SLOTS

_TICK = 12
_WRITTEN = 14
_DARK = 0.55


def matrix(
    key: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]],
    *, label: str,
) -> Markup:  # fmt: skip
    """Losses after each leg, a row each; the colour is the logarithm."""
    found = np.array([[np.nan if v is None or v <= 0 else v for v in r] for r in values], float)
    shades = np.log10(found)

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        low, high = np.nanmin(shades), np.nanmax(shades)
        image = axes.imshow(shades, aspect="auto", cmap="cividis", interpolation="none")
        axes.grid(visible=False)
        axes.set_xticks(range(len(columns)), [short(c) for c in columns], rotation=35, ha="right")
        axes.set_yticks(range(len(rows)), [short(r) for r in rows])
        if len(columns) <= _WRITTEN and len(rows) <= _WRITTEN + 1:
            _written(axes, found, (shades - low) / max(high - low, 1e-9))
        bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.015)
        ticks = np.linspace(low, high, 5)
        bar.set_ticks(ticks, labels=[number(float(10**t), 2) for t in ticks])
        bar.outline.set_visible(False)
        bar.set_label("validation loss", color=SOFT)
        _plain(axes)

    return draw(key, (WIDTH, 1.7 + 0.32 * len(rows)), paint, label=label)


def _written(axes: Any, found: Any, shade: Any) -> None:
    """The number in each cell, dark on light and light on dark."""
    for i, j in np.ndindex(found.shape):
        if np.isfinite(found[i, j]):
            axes.text(
                j, i, _brief(float(found[i, j])), ha="center", va="center", fontsize=7,
                color="#111111" if shade[i, j] > _DARK else "#ffffff",
            )  # fmt: skip


def _brief(value: float) -> str:
    """A number that fits a cell."""
    if value >= 1e-3:
        return number(value, 2)
    digits, _, power = f"{value:.0e}".partition("e-")
    return f"{digits}e-{int(power)}"


def _plain(axes: Any) -> None:
    """No frame; names are text and no formulas."""
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_parse_math(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def window(
    key: str,
    dense: Sequence[Sequence[float]],
    hidden: Sequence[int],
    error: Sequence[float],
    *,
    label: str,
) -> Markup:
    """A window, features down and slots across; below it the error at each hidden slot."""
    values = np.clip(np.asarray(dense, float), 0, 1).T

    def paint(figure: Any) -> None:
        top, low = figure.subplots(2, 1, height_ratios=[4.2, 1], sharex=True)
        top.imshow(
            values, aspect="auto", cmap="cividis", vmin=0, vmax=1, interpolation="none",
            extent=(-0.5, SLOTS - 0.5, len(FEATURES) - 0.5, -0.5),
        )  # fmt: skip
        top.grid(visible=False)
        top.set_yticks(range(len(FEATURES)), FEATURES, fontsize=7)
        for first, last in spans(hidden):
            top.plot(
                [first - 0.5, last + 0.5, last + 0.5, first - 0.5, first - 0.5],
                [-0.4, -0.4, len(FEATURES) - 0.6, len(FEATURES) - 0.6, -0.4],
                color=SERIES[1], linewidth=1.4,
            )  # fmt: skip
            low.axvspan(first - 0.5, last + 0.5, color=SERIES[1], alpha=0.1, linewidth=0)
        low.bar(hidden[: len(error)], error[: len(hidden)], width=0.9, color=SERIES[1])
        low.set_ylabel("error", fontsize=7.5)
        low.set_xlim(-0.5, SLOTS - 0.5)
        hours = range(0, 25, _TICK // 4)
        low.set_xticks([4 * h - 0.5 for h in hours], [f"{h:02d}:00" for h in hours], fontsize=7.5)
        low.tick_params(axis="y", labelsize=7)
        low.locator_params(axis="y", nbins=2)
        _plain(top)
        for text in top.get_yticklabels():
            text.set_color(INK)

    return draw(key, (WIDTH, 3.6), paint, label=label)


def spans(slots: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of neighbouring slots, first and last of each."""
    found: list[tuple[int, int]] = []
    for slot in sorted(set(slots)):
        if found and slot == found[-1][1] + 1:
            found[-1] = found[-1][0], slot
        else:
            found.append((slot, slot))
    return found
