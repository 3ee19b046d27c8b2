"""Which datasets lie in a folder that `prepare` wrote, and what to say where a name is not there.

Looks at manifests alone and imports next to nothing, so that a mistake is told at once.
"""

import difflib
from collections.abc import Iterable, Mapping

from jepa_ray.errors import CorpusError
from jepa_ray.manifest import ACTOR_DAY, Manifest, read_manifest
from jepa_ray.storage import exists, join, list_names

COMBINED = "combined"
_LOOKED_AT = 16  # folders in which windows are looked for
_TRIED = 4  # names in each: a folder of windows holds little else than datasets


def prepared(processed_dir: str) -> dict[str, int]:
    """The datasets that are completed and have windows, sorted, with how many."""
    return {name: manifest["windows"] for name, manifest in _usable(processed_dir).items()}


def choose(processed_dir: str, name: str, *, in_order: bool = False) -> list[str]:
    """The datasets that `combined` or a comma-separated list of names stands for.

    `combined` is all of one windowing: those of `record` windowing where there are any, for an
    actor's day is made of the same records.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        name: `combined`, or the list.
        in_order: Keep the order of the list, as sequential mixing wants it.

    Returns:
        Their names, each once; sorted, so that the order in which they are given does not reach the
        numbers, unless `in_order`.

    Raises:
        CorpusError: Nothing is prepared there, or a name is not.
    """
    there = _usable(processed_dir)
    if not there:
        raise nothing_there(processed_dir)
    if name == COMBINED:
        record = [n for n, m in there.items() if m.get("windowing") != ACTOR_DAY]
        return record or list(there)
    wanted = names_of(name)
    absent = [part for part in wanted if part not in there]
    if absent or not wanted:
        raise unknown(absent or [name], [COMBINED, *there], processed_dir)
    return list(dict.fromkeys(wanted if in_order else sorted(wanted)))


def names_of(text: str) -> list[str]:
    """The names of a list separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def require_datasets(processed_dir: str) -> None:
    """See that any dataset is prepared in a folder, whatever became of it.

    Raises:
        CorpusError: There is none; the message says where there are some, if they are near.
    """
    if not _holds_datasets(processed_dir):
        raise nothing_there(processed_dir)


def nothing_there(processed_dir: str, why: Mapping[str, str | None] | None = None) -> CorpusError:
    """What to say of a folder without a dataset that can be used.

    Args:
        processed_dir: The folder that was given.
        why: Datasets that are there, and why they are of no use, if that is known.
    """
    if why:
        said = "; ".join(f"{name}: {reason}" for name, reason in why.items())
        return CorpusError(
            f"no dataset in {processed_dir} can be trained on ({said}); run `jepa-ray prepare` "
            "first"
        )
    there = exists(processed_dir)
    found = "no dataset is prepared in" if there else "there is no folder"
    for other in _near(processed_dir):
        if _holds_datasets(other):
            return CorpusError(f"{found} {processed_dir}; did you mean {other}? It holds some")
    if not there:
        return CorpusError(
            f"there is no folder {processed_dir}: give the one that `jepa-ray prepare` wrote, its "
            "--processed-dir"
        )
    return CorpusError(
        f"no prepared dataset with windows in {processed_dir}; run `jepa-ray prepare` first"
    )


def unknown(names: Iterable[str], there: Iterable[str], processed_dir: str) -> CorpusError:
    """What to say of datasets that are not there.

    Args:
        names: As they were given.
        there: Names that could have been given.
        processed_dir: Where.
    """
    names, there = list(names), list(there)
    return CorpusError(
        f"dataset {', '.join(map(repr, names))} is not prepared in {processed_dir}"
        f"{did_you_mean(names, there)} There: {', '.join(there) or 'nothing'}"
    )


def did_you_mean(names: Iterable[str], there: Iterable[str]) -> str:
    """The names that come closest, as the end of a sentence; a full stop where none does."""
    there = list(there)
    close = [match for name in names for match in difflib.get_close_matches(name, there, n=1)]
    return f"; did you mean {', '.join(dict.fromkeys(close))}?" if close else "."


def _usable(processed_dir: str) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {}
    for name in list_names(processed_dir):
        try:
            manifest = read_manifest(join(processed_dir, name))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue
        if manifest["status"] == "completed" and manifest["windows"]:
            found[name] = manifest
    return found


def _holds_datasets(folder: str) -> bool:
    names = list_names(folder)[:_TRIED]
    return any(exists(join(folder, name, "manifest.json")) for name in names)


def _near(folder: str) -> Iterable[str]:
    """Where windows may be instead: above, where one dataset was given, and below."""
    bare = folder.rstrip("/")
    above = bare.rpartition("/")[0]
    if above and not above.endswith(":/"):
        yield above
    yield from (join(bare, name) for name in list_names(folder)[:_LOOKED_AT])
