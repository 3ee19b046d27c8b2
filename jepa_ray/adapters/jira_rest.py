"""Archives of answers of the Jira API: `public_jira/rest/JIRA_*.tar.gz`, an issue a member."""

from typing import Any

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.adapters.json_values import decode_object

REST = ("public_jira/rest/*.tar.gz", "public_jira/rest/*.tgz")


def is_rest(label: str) -> bool:
    """Whether a file is an archive of answers of the API."""
    return label.endswith((".tar.gz", ".tgz", ".tar.zst"))


def jira_of(label: str) -> str:
    """The Jira of an archive: the first word of its name, as the normalised form has it."""
    return label.rpartition("/")[2].partition(".")[0].partition("_")[0]


def rest_issue(data: bytes) -> dict[str, Any] | None:
    """An issue as the Jira API gave it; None for the file of its comments, which it repeats.

    Raises:
        NotReadableError: It is neither.
    """
    try:
        data.decode()
    except UnicodeDecodeError:
        data = data.decode("cp1252", "replace").encode()
    found = decode_object(data)
    if "fields" not in found and isinstance(found.get("comments"), list):
        return None
    key = found.get("key")
    if not isinstance(found.get("fields"), dict) or not isinstance(key, str) or not key:
        raise NotReadableError("missing_field", "an issue needs key and fields")
    return found
