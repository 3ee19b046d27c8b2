"""evaluation.json beside what it is about."""

import logging
from typing import Any

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.errors import JepaRayError
from jepa_ray.storage import join, list_names, read_json, write_json

log = logging.getLogger(__name__)

EVALUATION = "evaluation.json"
_PROVENANCE = "provenance.json"


def keep(document: dict[str, Any], folder: str, name: str = EVALUATION) -> str | None:
    """Write a result into a folder; where it cannot be written, one warning.

    A quick look does not replace what stands there: a result of fewer windows, datasets or tasks
    than the one that is there is not kept, and a warning says so.

    Returns:
        Its URL, or None.
    """
    url = join(folder, name)
    if _is_less(document, url):
        log.warning(
            "%s is left as it is: it is of more windows, datasets or tasks; delete it to replace",
            url,
        )
        return None
    try:
        write_json(url, document)
    except (OSError, JepaRayError) as error:
        reason = getattr(error, "strerror", None) or error
        log.warning("%s cannot be written: %s; the numbers stand above all the same", url, reason)
        return None
    return url


def _is_less(document: dict[str, Any], url: str) -> bool:
    try:
        there = read_json(url)
        (one, names), (other, other_names) = _extent(document), _extent(there)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JepaRayError):
        return False  # none there, or none that we could read
    return one < other or names < other_names


def _extent(document: dict[str, Any]) -> tuple[int, set[str]]:
    """Windows asked for and names of the datasets; of probes, the names of the tasks."""
    if "tasks" in document:
        return 0, {*document["tasks"], *document["skipped"]}
    of_pass = next(iter(document["passes"].values())) if "passes" in document else document
    return of_pass["batches"] * of_pass["batch_size"], set(of_pass["datasets"])


def folder_of_training(checkpoint: str) -> str | None:
    """The folder of a checkpoint's URL, if a training left it there; else None."""
    folder, _, name = checkpoint.rpartition("/")
    if name != FILE_NAME:
        return None
    folder = folder or "."
    return folder if _PROVENANCE in list_names(folder) else None
