"""evaluation.json beside what it is about."""

import logging
from typing import Any, Literal

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.errors import JepaRayError
from jepa_ray.storage import join, list_names, read_json, write_json

log = logging.getLogger(__name__)

EVALUATION = "evaluation.json"
PROBES = "probes.json"
_PROVENANCE = "provenance.json"
_PROBED = ("train", "test", "pool", "draws")
_EVALUATED = (
    "batches", "dataset_batches", "mask_batches", "control_batches", "training_batches", "draws",
)  # fmt: skip
_ABOUT = 0.9
"""Probes have this share of their windows at least where nothing but the version is another."""


Kept = Literal["kept", "declined", "failed"]


def keep(document: dict[str, Any], folder: str, name: str = EVALUATION) -> Kept:
    """Write a result into a folder; where it cannot be written, one warning.

    A quick look does not replace what stands there: a result of fewer windows, resamples, datasets
    or tasks than the one that is there is not kept, and a warning says so.

    Returns:
        `kept`; `declined`: there is a fuller one; `failed`: it cannot be written.
    """
    url = join(folder, name)
    if _is_less(document, url):
        log.warning(
            "%s is left as it is: it is of more windows, resamples, datasets or tasks; delete it "
            "to replace",
            url,
        )
        return "declined"
    try:
        write_json(url, document)
    except (OSError, JepaRayError) as error:
        reason = getattr(error, "strerror", None) or error
        log.warning("%s cannot be written: %s; the numbers stand above all the same", url, reason)
        return "failed"
    return "kept"


def _is_less(document: dict[str, Any], url: str) -> bool:
    try:
        there = read_json(url)
        (one, names), (other, other_names) = _extent(document), _extent(there)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JepaRayError):
        return False  # none there, or none that we could read
    if names < other_names:
        return True
    if "settings" in one and "settings" in other:
        ours, theirs = one["settings"], other["settings"]
        return any(ours[key] < theirs[key] for key in ours.keys() & theirs.keys())
    return bool(one["about"] < other["about"] * (_ABOUT if "tasks" in document else 1))


def _extent(document: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """How much a result is of: of its settings those that count, and the windows it was made of.

    Returns:
        `settings`, which an older version did not write down, and `about`: windows; and names of
        datasets, of probes those of tasks.
    """
    if "tasks" in document:
        tasks = document["tasks"]
        return {
            **_counted(document, 1, _PROBED),
            "about": sum(task["train"] + task["test"] for task in tasks.values()),
        }, {*tasks, *document["skipped"]}
    of_pass = next(iter(document["passes"].values())) if "passes" in document else document
    size = of_pass["batch_size"]
    about = of_pass["batches"] * size
    return {**_counted(of_pass, size, _EVALUATED), "about": about}, set(of_pass["datasets"])


def _counted(document: dict[str, Any], size: int, keys: tuple[str, ...]) -> dict[str, Any]:
    settings = document.get("settings")
    if settings is None:
        return {}
    units = {key: size if key.endswith("batches") else 1 for key in keys}
    return {"settings": {key: settings[key] * units[key] for key in keys}}


def folder_of_training(checkpoint: str) -> str | None:
    """The folder of a checkpoint's URL, if a training left it there; else None."""
    folder, _, name = checkpoint.rpartition("/")
    if name != FILE_NAME:
        return None
    folder = folder or "."
    return folder if _PROVENANCE in list_names(folder) else None
