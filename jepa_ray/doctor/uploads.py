"""Unfinished uploads below the storage: what killed writes left."""

from collections.abc import Sequence

from jepa_ray.doctor.finding import Finding, failed, passed
from jepa_ray.errors import JepaRayError
from jepa_ray.storage import Upload, remove_uploads, unfinished_uploads

CHECK = "unfinished uploads"
OLD_HOURS = 24.0
"""No write of ours takes as long."""


def judge_uploads(storage: str, older_than: float | None = None) -> Finding:
    """Count what killed writes left in a store, and remove some of it.

    Args:
        storage: URL.
        older_than: Remove those begun more than so many hours ago; None: none.
    """
    try:
        found = unfinished_uploads(storage)
        old = [] if older_than is None else [u for u in found if u.hours() >= older_than]
        removed = f"{remove_uploads(old)} removed, " if older_than is not None else ""
    except JepaRayError as error:
        return passed(CHECK, f"not looked at: {error}")
    return judge_left(storage, [upload for upload in found if upload not in old], removed)


def judge_left(storage: str, left: Sequence[Upload], removed: str = "") -> Finding:
    """What is left is of what is at work, or old enough to be forgotten.

    Args:
        storage: URL, for the advice.
        left: The oldest first.
        removed: What was done, "" or ending in ", ".
    """
    if not left:
        return passed(CHECK, f"{removed}none left" if removed else "none")
    if left[0].hours() < OLD_HOURS:
        said = f"{removed}{len(left)}, begun in the last {OLD_HOURS:g} hours"
        return passed(CHECK, f"{said}: of what is at work, or was killed")
    said = f"{removed}{len(left)}, the oldest {left[0].url} of {left[0].begun:%Y-%m-%d}"
    advice = (
        f"their parts take room: `jepa-ray doctor --storage {storage} --remove-uploads "
        f"{OLD_HOURS:g}`, or a rule of the bucket (docs/storage.md)"
    )
    return failed(CHECK, said, advice)
