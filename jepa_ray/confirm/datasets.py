"""Which datasets a confirmation run trains on, and why it leaves the others out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import COMBINED, SplitKeys
from jepa_ray.corpus.parts import PartReader, parts_of
from jepa_ray.corpus.stored import KEYS, split_keys, usable_manifest
from jepa_ray.errors import CorpusError
from jepa_ray.storage import join, list_names
from jepa_ray.windows import ACTOR_DAY, NO_TIME, Manifest, read_manifest

FEWEST_WINDOWS = 2
Status = Literal["trained", "empty", "blocked", "missing", "failed", "too_few"]
_KEY: dict[str, Callable[[SplitKeys], NDArray[Any]]] = {
    "random_resplit": lambda keys: keys.uid,
    "grouped": lambda keys: np.where(keys.group == 0, keys.uid, keys.group),
    "temporal": lambda keys: keys.start_us[keys.start_us != NO_TIME],
}
"""What decides on which side a window falls."""


@dataclass(frozen=True)
class Listed:
    """A prepared dataset, as confirmation.json has it.

    Attributes:
        status: `trained`, or why it is not.
        reason: In words; None for one that is trained.
        windows: How many.
        fingerprint: Of what it was prepared from; None where nothing was.
    """

    status: Status
    reason: str | None
    windows: int
    fingerprint: str | None


def listed(processed_dir: str, dataset: str) -> dict[str, Listed]:
    """The datasets of a run, sorted by name.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        dataset: `combined`: all of one windowing, that of `record` where any of it can be trained
            on, as `train` takes them; or names separated by commas.

    Raises:
        CorpusError: A name is not there, or none of them can be trained on.
    """
    manifests = dict(_manifests(processed_dir))
    if dataset != COMBINED:
        wanted = sorted({part.strip() for part in dataset.split(",") if part.strip()})
        absent = [name for name in wanted if name not in manifests]
        if absent or not wanted:
            raise CorpusError(
                f"dataset {', '.join(absent) or dataset!r} is not prepared in {processed_dir}; "
                f"there: {COMBINED}, {', '.join(manifests) or 'nothing'}"
            )
        found = {name: _listed(manifests[name]) for name in wanted}
    else:
        found = _of_one_windowing(manifests)
    if not trainable(found):
        why = "; ".join(f"{name}: {each.reason}" for name, each in found.items())
        raise CorpusError(
            f"no dataset in {processed_dir} can be trained on ({why or 'none is prepared there'}); "
            "run `jepa-ray prepare` first"
        )
    return found


def trainable(datasets: dict[str, Listed]) -> list[str]:
    """Names of those that are trained."""
    return [name for name, each in datasets.items() if each.status == "trained"]


def untrained_line(datasets: dict[str, Listed]) -> str | None:
    """Which ones are left out, in one line; None where there is none."""
    left = [f"{n} ({d.status}: {d.reason})" for n, d in datasets.items() if d.status != "trained"]
    return f"not trained: {'; '.join(left)}" if left else None


def require_two_sides(
    processed_dir: str, names: Sequence[str], split: SplitConfig, seeds: Sequence[int]
) -> None:
    """See that every dataset has training and held-out windows, for any seed.

    The split gives each side one where the windows differ in what it looks at, so this reads a
    dataset only until it has seen two values.

    Raises:
        CorpusError: One has not; the message names dataset and seed.
    """
    for name in names:
        folder = join(processed_dir, name)
        seen: NDArray[Any] = np.zeros(0)
        parts = parts_of(folder, usable_manifest(folder, name))
        for _, table in PartReader().scan(parts, KEYS):
            seen = np.unique([*seen, *np.unique(_KEY[split.mode](split_keys(table)))[:2]])
            if len(seen) > 1:
                break
        else:
            raise CorpusError(
                f"{name}: with seed {seeds[0]}, as with any other, split.mode={split.mode} leaves "
                "one side without windows, for it cannot tell them apart; leave the dataset out "
                "with --dataset, or choose another train.split.mode"
            )


def _manifests(processed_dir: str) -> Iterator[tuple[str, Manifest]]:
    for name in list_names(processed_dir):
        try:
            yield name, read_manifest(join(processed_dir, name))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except ValueError as error:
            manifest = {"status": "failed", "reason": f"its manifest.json {error}", "windows": 0}
            yield name, manifest | {"fingerprint": None}


def _of_one_windowing(manifests: dict[str, Manifest]) -> dict[str, Listed]:
    """Those of record windowing, or of an actor's day where none of record can be trained on."""
    by_kind: dict[bool, dict[str, Listed]] = {False: {}, True: {}}
    for name, manifest in manifests.items():
        by_kind[manifest.get("windowing") == ACTOR_DAY][name] = _listed(manifest)
    record, days = by_kind[False], by_kind[True]
    return days if trainable(days) and not trainable(record) else record


def _listed(manifest: Manifest) -> Listed:
    windows, fingerprint = manifest["windows"], manifest["fingerprint"]
    status: Status = manifest["status"]
    reason = manifest["reason"]
    if manifest["status"] == "completed":
        status, reason = "trained", None
        if windows < FEWEST_WINDOWS:
            status = "too_few" if windows else "empty"
            reason = f"{windows} window(s), {FEWEST_WINDOWS} are the least: one is held out"
    return Listed(status, reason, windows, fingerprint)
