"""`jepa-ray inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from jepa_ray.cli.console import console, print_json
from jepa_ray.cli.options import Json
from jepa_ray.errors import ConfigError, UsageError


def run(
    folder: Annotated[str, typer.Argument(help="<processed-dir>/<dataset>")],
    uid: Annotated[
        str | None, typer.Option(help="window_uid, decimal or 0x...; default: the first window.")
    ] = None,
    png: Annotated[
        str | None, typer.Option(help="Also write the picture to this file; path or URL.")
    ] = None,
    json: Json = False,
) -> None:
    """Show one window as a picture, and the dataset's statistics as a table."""
    from jepa_ray.report import read_stats, read_window, terminal_picture, write_png
    from jepa_ray.windows import FEATURES

    if png is not None and (not png.endswith(".png") or Path(png).is_dir()):
        raise UsageError(f"--png {png}: give the name of a file that ends in .png")
    stats = read_stats(folder)
    window = read_window(folder, _uid(uid))
    name = folder.rstrip("/").rpartition("/")[2]
    if png is not None:
        start = window.fields["window_start"]
        write_png(window.dense, png, title=f"{name}  {start}  uid {window.fields['window_uid']}")
    if json:
        features = {f: window.dense[:, i].tolist() for i, f in enumerate(FEATURES)}
        fields = {k: str(v) if hasattr(v, "isoformat") else v for k, v in window.fields.items()}
        print_json({"dataset": name, "window": fields | {"features": features}, "stats": stats})
        return
    from rich.table import Table

    out = console()
    title = f"{name}: {stats['windows']:,} windows"
    table = Table("feature", "mean", "std", "max", "slots > 0", title=title)
    for feature, f in stats["features"].items():
        numbers = [f"{f[key]:.4f}" for key in ("mean", "std", "max")]
        table.add_row(feature, *numbers, f"{f['nonzero_share']:.2%}")
    out.print(table)
    out.print(
        f"{stats['distinct_windows']:,} distinct windows, "
        f"entropy {stats['entropy_bits']:.2f} bits, "
        f"{stats['earliest']} .. {stats['latest']}\n"
    )
    for key, value in window.fields.items():
        if value is not None:
            out.print(f"{key:>20}  {value}", highlight=False, markup=False)
    out.print()
    out.print(terminal_picture(window.dense, width=out.width), soft_wrap=True)


def _uid(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 2**64:
        raise ConfigError(f"--uid {text!r} is not a window_uid: a number below 2**64")
    return value
