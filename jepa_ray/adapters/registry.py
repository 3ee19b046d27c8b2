"""Adapters by name, found through the entry-point group `jepa_ray.adapters`."""

import difflib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

from jepa_ray.adapters.base import Adapter
from jepa_ray.errors import SourceError

GROUP = "jepa_ray.adapters"
_ATTRIBUTES = ("info", "version", "kind", "shards", "blocks", "parse")


def adapters() -> dict[str, type[Adapter]]:
    """All installed adapters by dataset name, in alphabetical order; see `broken` for the rest."""
    return _load()[0]


def broken() -> dict[str, str]:
    """Why an installed adapter cannot be used, by entry point; the others work all the same."""
    return _load()[1]


@cache
def _load() -> tuple[dict[str, type[Adapter]], dict[str, str]]:
    good: dict[str, type[Adapter]] = {}
    bad: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        try:
            adapter = point.load()
        except Exception as error:  # noqa: BLE001 - whatever the import of a plug-in runs into
            bad[point.name] = f"{point.value} cannot be imported: {type(error).__name__}: {error}"
            continue
        lacking = [name for name in _ATTRIBUTES if not hasattr(adapter, name)]
        if lacking:
            bad[point.name] = f"{point.value} has no {', '.join(lacking)}"
        elif point.name != adapter.info.dataset:
            bad[point.name] = (
                f"{point.value} is of dataset {adapter.info.dataset}: name the entry point so"
            )
        else:
            good[point.name] = adapter
    return good, bad


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
        if dataset in broken():
            raise SourceError(f"the adapter of {dataset} is broken: {broken()[dataset]}")
        if dataset not in known:
            close = difflib.get_close_matches(name, [*known, *alias], n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise SourceError(f"no dataset {name!r}{hint} Known: all, {', '.join(known)}")
        chosen[dataset] = known[dataset]
    return list(chosen.values())
