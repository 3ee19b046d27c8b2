"""A window as a picture: features down, the 96 slots of the day across."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from jepa_ray.storage import write_bytes
from jepa_ray.windows import FEATURES, SLOTS

_SHADES = " .:-=+*#%@"
_HOUR_SLOTS = 4
_NAME_WIDTH = max(map(len, FEATURES)) + 1


def terminal_picture(dense: NDArray[np.float32]) -> Text:
    """The window as text: a row a feature, a character a slot, darker is higher.

    Args:
        dense: float32 (96, 16).
    """
    hours = "".join(f"{hour:<{3 * _HOUR_SLOTS}d}" for hour in range(0, 24, 3))
    text = Text(" " * _NAME_WIDTH + hours + "\n", style="dim", no_wrap=True)
    for i, name in enumerate(FEATURES):
        row = "".join(_shade(float(value)) for value in dense[:, i])
        text.append(f"{name:<{_NAME_WIDTH}}", style="cyan")
        text.append(row, style="bold")
        text.append(f" {float(dense[:, i].max()):.3f}\n", style="dim")
    return text


def _shade(value: float) -> str:
    if value <= 0:
        return "·"
    return _SHADES[min(1 + int(value * (len(_SHADES) - 1)), len(_SHADES) - 1)]


def write_png(dense: NDArray[np.float32], file: Path, *, title: str) -> None:
    """The window as a PNG of 1200 x 500 pixels.

    Args:
        dense: float32 (96, 16).
        file: Where to; an existing file is replaced.
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
        np.arange(0, SLOTS + 1, 3 * _HOUR_SLOTS) - 0.5, [f"{h:02d}:00" for h in range(0, 25, 3)]
    )
    axes.set_title(title, parse_math=False)
    axes.set_xlabel("local time of the window's day (96 slots of 15 minutes)")
    figure.colorbar(image, label="value in [0, 1]")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes(file, buffer.getvalue())
