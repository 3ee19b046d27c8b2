"""Which datasets a confirmation run trains on, and why it leaves the others out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jepa_ray.errors import CorpusError
from jepa_ray.manifest import ACTOR_DAY, Manifest, read_manifest
from jepa_ray.prepared import COMBINED, names_of, nothing_there, unknown
from jepa_ray.storage import join, list_names

FEWEST_WINDOWS = 2
Status = Literal["trained", "empty", "blocked", "missing", "failed", "too_few"]


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
        CorpusError: A name is not there, none of them can be trained on, or one is there twice.
    """
    manifests = dict(_manifests(processed_dir))
    if not manifests:
        raise nothing_there(processed_dir)
    if dataset != COMBINED:
        wanted = sorted(set(names_of(dataset)))
        absent = [name for name in wanted if name not in manifests]
        if absent or not wanted:
            of_use = trainable({name: _listed(m) for name, m in manifests.items()})
            raise unknown(absent or [dataset], [COMBINED, *of_use], processed_dir)
        found = {name: _listed(manifests[name]) for name in wanted}
    else:
        found = _of_one_windowing(manifests)
    _require_each_once(processed_dir, {name: manifests[name] for name in trainable(found)})
    if not trainable(found):
        raise nothing_there(processed_dir, {name: each.reason for name, each in found.items()})
    return found


def trainable(datasets: dict[str, Listed]) -> list[str]:
    """Names of those that are trained."""
    return [name for name, each in datasets.items() if each.status == "trained"]


def _require_each_once(processed_dir: str, manifests: dict[str, Manifest]) -> None:
    """See that no dataset lies in two folders, as when one was copied."""
    folders: dict[str, str] = {}
    for folder, manifest in manifests.items():
        first = folders.setdefault(str(manifest.get("dataset", folder)), folder)
        if first != folder:
            raise CorpusError(
                f"{first} and {folder} in {processed_dir} both hold the dataset "
                f"{manifest['dataset']}, so its windows would be trained on twice; move one of "
                "them away, or name the others with --dataset"
            )


def untrained_line(datasets: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Which ones of confirmation.json are left out, in one line; None where there is none."""
    left = [
        f"{name} ({each['status']}: {each['reason']})"
        for name, each in datasets.items()
        if each["status"] != "trained"
    ]
    return f"not trained: {'; '.join(left)}" if left else None


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
