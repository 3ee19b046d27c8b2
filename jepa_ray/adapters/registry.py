"""Adapters by name, found through the entry-point group `jepa_ray.adapters`."""

import difflib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

from jepa_ray.adapters.base import Adapter
from jepa_ray.errors import SourceError

GROUP = "jepa_ray.adapters"


@cache
def adapters() -> dict[str, type[Adapter]]:
    """All installed adapters by dataset name, in alphabetical order."""
    found: dict[str, type[Adapter]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        adapter = point.load()
        if point.name != adapter.info.dataset:
            raise SourceError(
                f"entry point {point.name} of group {GROUP} loads {point.value}, whose dataset is "
                f"{adapter.info.dataset}: give both the same name"
            )
        found[point.name] = adapter
    return found


def select(names: Iterable[str]) -> list[type[Adapter]]:
    """The adapters of some dataset names; aliases are taken.

    `all` stands for every one but the extras, which are prepared by name only.

    Raises:
        SourceError: A name is unknown; the message lists what there is.
    """
    known = adapters()
    alias = {a: name for name, adapter in known.items() for a in adapter.info.aliases}
    chosen: dict[str, type[Adapter]] = {}
    for name in names:
        if name == "all":
            chosen |= {n: adapter for n, adapter in known.items() if not adapter.info.extra}
            continue
        dataset = alias.get(name, name)
        if dataset not in known:
            close = difflib.get_close_matches(name, [*known, *alias], n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise SourceError(f"no dataset {name!r}{hint} Known: all, {', '.join(known)}")
        chosen[dataset] = known[dataset]
    return list(chosen.values())
