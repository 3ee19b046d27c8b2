"""What the actor beside a fit holds. In a module of its own that imports next to nothing.

The process of an actor imports the package of its class: that of `train` costs three seconds of a
core, for Ray Train and torch.
"""

from typing import Any

from jepa_ray.errors import JepaRayError


class Box:
    """Rows of progress, until they are taken, and the first failure."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._failure: JepaRayError | None = None

    def put(self, row: dict[str, Any]) -> None:
        """Add a row."""
        self._rows.append(row)

    def take(self) -> list[dict[str, Any]]:
        """All rows since the last time."""
        rows, self._rows = self._rows, []
        return rows

    def fail(self, error: JepaRayError) -> None:
        """Keep a failure, if it is the first."""
        self._failure = self._failure or error

    def failure(self) -> JepaRayError | None:
        """The failure, if there is one."""
        return self._failure
