"""manifest.json as its readers need it: checked for form, so an edited one gives a clear error.

Imports next to nothing; the names are those of `jepa_ray.windows`, too.
"""

import datetime as dt
import re
from typing import Any, Final

import msgspec

from jepa_ray.storage import join, read_json

Manifest = dict[str, Any]
CONTRACT_VERSION: Final = 1
"""Of the contract in `windows/contract.py`; whoever changes anything there raises it."""
ACTOR_DAY: Final = "actor_day"
"""A windowing: the `window_kind`, and what the name of a dataset ends with."""

_PART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Part(msgspec.Struct):
    name: str
    rows: int
    bytes: int


class _Form(msgspec.Struct):
    """The keys that a reader counts on; others may be there."""

    contract_version: int
    dataset: str
    status: str
    reason: str | None
    records: int
    windows: int
    expanded: int
    distinct_windows: int
    skipped: dict[str, int]
    quarantined: dict[str, int]
    quarantine: list[str]
    fingerprint: str | None
    parts: list[_Part]


def utc_now() -> str:
    """The time now, UTC, ISO 8601 to the second: what manifests carry."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def public(manifest: Manifest) -> Manifest:
    """A manifest without its lists of files: what a verb's `--json` and run reports show."""
    return {k: v for k, v in manifest.items() if k not in ("sources", "parts", "quarantine")}


def read_manifest(folder: str) -> Manifest:
    """The manifest of a prepared dataset.

    Args:
        folder: Path or URL of `<processed-dir>/<dataset>`.

    Raises:
        FileNotFoundError, NotADirectoryError: There is none.
        ValueError: It is not JSON, of another contract, or not of the form of a manifest; the
            message goes on after "manifest.json".
    """
    try:
        document = read_json(join(folder, "manifest.json"))
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("is not a manifest")  # noqa: TRY004 - one kind of error for its readers
    if document.get("contract_version") != CONTRACT_VERSION:
        raise ValueError(
            f"is of contract {document.get('contract_version')}, this version reads "
            f"{CONTRACT_VERSION}"
        )
    try:
        form = msgspec.convert(document, _Form)
    except msgspec.ValidationError as error:
        raise ValueError(f"is not a manifest: {error}") from None
    for part in form.parts:
        if not _PART_NAME.fullmatch(part.name):
            raise ValueError("lists a part whose name is not a plain file name")
    found: Manifest = document
    return found
