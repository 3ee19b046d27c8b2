"""What a verb prints: results on stdout, progress and logs on stderr."""

import json
import logging
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import typer

from jepa_ray.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from jepa_ray.windows import Manifest

_EVERY_SECONDS = 30.0
_WIDTH = 160
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def start_logging() -> None:
    """Our messages at INFO on stderr, other packages' at WARNING."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("jepa_ray").setLevel(logging.INFO)


def print_json(document: Any) -> None:
    """One JSON document on stdout; NaN is refused."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False, default=str))


def check_run_id(run_id: str) -> None:
    """A run id becomes file and folder names.

    Raises:
        ConfigError: It holds other characters than letters, digits, dot, dash and underscore.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ConfigError(
            f"--run-id {run_id!r}: use letters, digits, '.', '-' and '_', beginning with a letter "
            "or digit, 128 at most"
        )


def console() -> "Console":
    """Where tables go: stdout, as wide as the terminal, or 160 columns where there is none."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH)


def print_manifests(title: str, manifests: "dict[str, Manifest]") -> None:
    """Datasets as a table, a row each; one without work is `unchanged`."""
    from rich.table import Table

    columns = ("dataset", "status", "records", "windows", "distinct", "skipped", "quarantined", "s")
    table = Table(*columns, title=title)
    for name, m in manifests.items():
        counts = (m["records"], m["windows"], m["distinct_windows"])
        bad = (sum(m["skipped"].values()), sum(m["quarantined"].values()))
        idle = m.get("unchanged") and m["status"] == "completed"
        numbers = [f"{n:,}" for n in (*counts, *bad)]
        status = "unchanged" if idle else m["status"]
        table.add_row(name, status, *numbers, f"{m['seconds']:.1f}")
    console().print(table)


class Ticker:
    """Progress: one line rewritten on a terminal, otherwise one line every 30 seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            sys.stderr.write("\n")

    def __call__(self, line: str, *, always: bool = False) -> None:
        """Show where the work is; `always`: also where there is no terminal, however soon."""
        if self._terminal:
            sys.stderr.write("\r" + line.ljust(self._width))
            sys.stderr.flush()
            self._width = max(self._width, len(line))
        elif always or time.monotonic() - self._last >= _EVERY_SECONDS:
            sys.stderr.write(line + "\n")
            self._last = time.monotonic()
