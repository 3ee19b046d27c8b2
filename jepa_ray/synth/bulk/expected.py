"""What `prepare` has to make of an archive: the numbers that its manifest must show."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Expected:
    """The account of some records, in the terms of a manifest.

    Attributes:
        windows: Records that give one window each.
        skipped: The others that are fine, by reason.
        quarantined: Those that cannot be read, by slug.
    """

    windows: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> int:
        """All of them."""
        return self.windows + self.skipped.total() + self.quarantined.total()

    @staticmethod
    def merge(parts: Iterable["Expected"]) -> "Expected":
        """The account of all their records."""
        total = Expected()
        for part in parts:
            total.windows += part.windows
            total.skipped += part.skipped
            total.quarantined += part.quarantined
        return total

    def document(self) -> dict[str, Any]:
        """Under the names that a manifest has; no record of these archives recurs."""
        return {
            "records": self.records,
            "windows": self.windows,
            "expanded": 0,
            "skipped": dict(sorted(self.skipped.items())),
            "quarantined": dict(sorted(self.quarantined.items())),
        }
