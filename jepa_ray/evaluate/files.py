"""evaluation.json beside what it is about."""

import logging

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.errors import JepaRayError
from jepa_ray.storage import join, list_names, write_json

log = logging.getLogger(__name__)

EVALUATION = "evaluation.json"
_PROVENANCE = "provenance.json"


def keep(document: dict[str, object], folder: str) -> str | None:
    """Write evaluation.json into a folder; where it cannot be written, one warning.

    Returns:
        Its URL, or None.
    """
    url = join(folder, EVALUATION)
    try:
        write_json(url, document)
    except (OSError, JepaRayError) as error:
        reason = getattr(error, "strerror", None) or error
        log.warning("%s cannot be written: %s; the numbers stand above all the same", url, reason)
        return None
    return url


def folder_of_training(checkpoint: str) -> str | None:
    """The folder of a checkpoint's URL, if a training left it there; else None."""
    folder, _, name = checkpoint.rpartition("/")
    if name != FILE_NAME:
        return None
    folder = folder or "."
    return folder if _PROVENANCE in list_names(folder) else None
