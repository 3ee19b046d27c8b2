"""What a long command has done, kept beside its result until that is written.

A part is used again only where all that it depends on is the same: settings, windows, checkpoint,
version of the program.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any

from jepa_ray import __version__
from jepa_ray.corpus import fingerprints, prepared
from jepa_ray.errors import JepaRayError
from jepa_ray.storage import delete, join, list_names, local_path, read_bytes, read_json, write_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """Finished parts of a command.

    Attributes:
        folder: URL of the parts.
        key: Of all that every part depends on.
    """

    folder: str
    key: str

    @classmethod
    def of(cls, folder: str, **depends: object) -> "Done":
        """Of what all parts depend on: anything that JSON can say."""
        return cls(folder, _hash(depends | {"version": __version__}))

    def get(self, name: str, own: str) -> Any:
        """A part; None where there is none, or one of other settings or windows.

        Args:
            name: Of the part, as of a file.
            own: What this part depends on beyond the others, as `content_of` a checkpoint.
        """
        try:
            found = read_json(self._url(name))
        except (OSError, ValueError, JepaRayError):
            return None
        same = isinstance(found, dict) and found.get("key") == _hash([self.key, own])
        return found.get("part") if same else None

    def put(self, name: str, own: str, part: object) -> None:
        """Keep a part; where it cannot be written, it is done again another time."""
        try:
            write_json(self._url(name), {"key": _hash([self.key, own]), "part": part})
        except (OSError, JepaRayError) as error:
            log.info("%s cannot be kept: %s", name, error)

    def _url(self, name: str) -> str:
        return join(self.folder, f"{name}.json")


def forget(folder: str) -> None:
    """Remove the parts: their result is written."""
    for name in list_names(folder):
        delete(join(folder, name))
    path = local_path(folder)
    if path is not None and path.is_dir():
        path.rmdir()


def content_of(checkpoint: str) -> str:
    """Hash of a file."""
    return hashlib.sha256(read_bytes(checkpoint)).hexdigest()


def prepared_as(processed_dir: str) -> dict[str, str]:
    """Fingerprints of all datasets that are prepared."""
    return fingerprints(processed_dir, list(prepared(processed_dir)))


def _hash(depends: object) -> str:
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
