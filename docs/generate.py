"""Writes the pages that follow from the code, and the blocks of others that show files.

.venv/bin/python docs/generate.py          write them
.venv/bin/python docs/generate.py --check  fail when they are out of date
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pictures import picture
from pydantic import BaseModel

from jepa_ray.adapters import adapters
from jepa_ray.config import (
    ConfirmConfig,
    EmbedConfig,
    EvaluateConfig,
    ExportConfig,
    ImportConfig,
    PrepareConfig,
    ProbeConfig,
    TrainConfig,
)

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "tests" / "plugins" / "example_bookings"
VERBS = {
    "prepare": PrepareConfig,
    "train": TrainConfig,
    "confirm": ConfirmConfig,
    "evaluate": EvaluateConfig,
    "embed": EmbedConfig,
    "probe": ProbeConfig,
    "export": ExportConfig,
    "import": ImportConfig,
}


def configuration() -> str:
    """Every setting of every verb, with a heading each."""
    lines = [
        "# Configuration",
        "",
        "<!-- written by docs/generate.py -->",
        "",
        "A verb's settings come from its defaults, then `--config FILE` (YAML), then `--set k=v`",
        "(repeatable, nested keys with dots), then its own flags; the later wins. An unknown key",
        "or a value that is not allowed is an error that names the key and what is allowed.",
    ]
    for verb, model in VERBS.items():
        lines += ["", f"## jepa-ray {verb}", "", (model.__doc__ or "").strip(), ""]
        lines += fields(model, "")
    return "\n".join([*lines, ""])


def fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The settings of one model, nested ones with their dotted key."""
    for name, field in model.model_fields.items():
        nested = field.annotation
        if nested is TrainConfig:  # of `confirm`: they stand under `train`
            yield from (f"### {prefix}{name}", "", str(field.description), "")
            continue
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from fields(nested, f"{prefix}{name}.")
            continue
        default = field.get_default(call_default_factory=True)
        said = f"{field.description} {allowed(nested)}Default: `{default}`."
        yield from (f"### {prefix}{name}", "", said, "")


def allowed(annotation: Any) -> str:
    """The values of a setting that has a fixed list of them, as a sentence."""
    parts = [annotation]
    if get_origin(annotation) in (Union, UnionType):
        parts = list(get_args(annotation))
    values = [v for part in parts if get_origin(part) is Literal for v in get_args(part)]
    return f"One of {', '.join(f'`{value}`' for value in values)}. " if values else ""


def sources() -> str:
    """Every dataset: what it is and how to get it."""
    lines = [
        "# Sources",
        "",
        "<!-- written by docs/generate.py -->",
        "",
        "A data root is a folder that holds raw sources at the paths below, as downloaded.",
        "`jepa-ray sources --data-root D` says which are there.",
    ]
    for name, adapter in adapters().items():
        info = adapter.info
        lines += [
            "",
            f"## {name}",
            "",
            f"- group: {info.group}",
            f"- path in the data root: `{info.path}`",
            f"- licence of the raw data: {info.licence}",
            f"- how to get it: {info.how_to_get}",
            f"- cite: {info.citation}",
        ]
        lines += [f"- also called: {', '.join(info.aliases)}"] if info.aliases else []
        lines += ["- an extra: prepared by its name only, `all` leaves it out"] * info.extra
        lines += [f"- blocked, so nobody can train on it: {info.blocked}"] if info.blocked else []
        lines += [f"- adapter: `{adapter.__module__}`, version {adapter.version}"]
    return "\n".join([*lines, ""])


def filled(name: str) -> str:
    """A page with its code blocks as they should be.

    Below `<!-- file: NAME -->` stands that file of the example, below `<!-- picture: DATASET -->` a
    record and its window.
    """

    def block(match: re.Match[str]) -> str:
        head, kind, what = match.groups()
        text = (EXAMPLE / what).read_text(encoding="utf-8") if kind == "file" else picture(what)
        return f"{head}{text}```\n"

    pattern = r"(<!-- (file|picture): (\S+) -->\n```\w+\n).*?```\n"
    return re.sub(pattern, block, (HERE / name).read_text(encoding="utf-8"), flags=re.DOTALL)


def pages() -> dict[str, str]:
    """What the pages should be."""
    written = {"configuration.md": configuration(), "sources.md": sources()}
    return written | {name: filled(name) for name in ("adding-a-source.md", "windows.md")}


def main() -> int:
    """Write the pages, or compare them; the exit code."""
    stale = []
    for name, text in pages().items():
        page = HERE / name
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run docs/generate.py\n")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
