"""A window as a picture: features down, the 96 slots of the day across."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from jepa_ray.storage import write_bytes
from jepa_ray.windows import FEATURES, INDEX, SLOTS

_SHADES = " .:-=+*#%@"
_HOUR_SLOTS = 4
_TICK_HOURS = 3
_NAME_WIDTH = max(map(len, FEATURES)) + 1
_VALUE_WIDTH = 6
_PARTS = (1, 2, 4, 8)
"""Into how many rows of equal length a day may be folded; each begins at a tick."""


def terminal_picture(
    dense: NDArray[np.float32], *, width: int | None = None, features: Sequence[str] = FEATURES
) -> Text:
    """The window as text: a row a feature, a character a slot, darker is higher.

    Args:
        dense: float32 (96, 16).
        width: Columns that there are: a day that is wider is folded into 2, 4 or 8 parts, one below
            the other. None: it is not folded.
        features: Names of the rows to draw.
    """
    slots = _part_slots(width)
    text = Text(no_wrap=True)
    for first in range(0, SLOTS, slots):
        hours = range(first // _HOUR_SLOTS, (first + slots) // _HOUR_SLOTS, _TICK_HOURS)
        ticks = "".join(f"{hour:<{_TICK_HOURS * _HOUR_SLOTS}d}" for hour in hours)
        text.append("\n" * bool(first) + " " * _NAME_WIDTH + ticks.rstrip() + "\n", style="dim")
        for name in features:
            values = dense[first : first + slots, INDEX[name]]
            text.append(f"{name:<{_NAME_WIDTH}}", style="cyan")
            text.append("".join(map(_shade, values.tolist())), style="bold")
            text.append(f" {values.max():.3f}\n", style="dim")
    return text


def _part_slots(width: int | None) -> int:
    """Slots of a row that fits."""
    room = SLOTS if width is None else width - _NAME_WIDTH - _VALUE_WIDTH
    return next((SLOTS // parts for parts in _PARTS if SLOTS // parts <= room), SLOTS // _PARTS[-1])


def _shade(value: float) -> str:
    if value <= 0:
        return "·"
    return _SHADES[min(1 + int(value * (len(_SHADES) - 1)), len(_SHADES) - 1)]


def write_png(dense: NDArray[np.float32], file: str | Path, *, title: str) -> None:
    """The window as a PNG of 1200 x 500 pixels.

    Args:
        dense: float32 (96, 16).
        file: Where to, path or URL; an existing file is replaced.
        title: Line above the picture.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, only needed here

    figure = Figure(figsize=(12, 5), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(
        dense.T, aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest"
    )
    axes.set_yticks(range(len(FEATURES)), FEATURES)
    axes.set_xticks(
        np.arange(0, SLOTS + 1, _TICK_HOURS * _HOUR_SLOTS) - 0.5,
        [f"{h:02d}:00" for h in range(0, 25, _TICK_HOURS)],
    )
    axes.set_title(title, parse_math=False)
    axes.set_xlabel("local time of the window's day (96 slots of 15 minutes)")
    figure.colorbar(image, label="value in [0, 1]")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes(file, buffer.getvalue())
