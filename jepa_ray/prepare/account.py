"""What became of some records: counts, files and statistics, of a block, a shard or a dataset."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from jepa_ray.windows import Part, Statistics

_FORM = 1
_COUNTERS = ("records", "skipped", "quarantined")


@dataclass(frozen=True)
class Account:
    """Every record is in a window, a skip or the quarantine.

    Attributes:
        records: By source label.
        expanded: Windows (in `actor_day` windowing: activities) beyond the first of their record.
        skipped, quarantined: Records by reason and by slug.
        parts: Files of windows.
        quarantine: Files of rejected records.
        statistics: Of the windows; None when there is none.
        activities: Of `actor_day` windowing, where no window is of one record; else None.
        shortened: Of these, those that last longer than is looked at.
    """

    records: Counter[str] = field(default_factory=Counter)
    expanded: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    parts: tuple[Part, ...] = ()
    quarantine: tuple[Part, ...] = ()
    statistics: Statistics | None = None
    activities: int | None = None
    shortened: int = 0

    @property
    def windows(self) -> int:
        """Windows in all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def lost(self) -> int:
        """Records that are nowhere: 0, or the program is wrong."""
        bad = self.skipped.total() + self.quarantined.total()
        found = self.windows if self.activities is None else self.activities
        return self.records.total() - (found - self.expanded + bad)

    @staticmethod
    def merge(accounts: Sequence["Account"]) -> "Account":
        """The account of all their records; files stay in order."""
        statistics = [a.statistics for a in accounts if a.statistics]
        activities = [a.activities for a in accounts if a.activities is not None]
        return Account(
            records=_total(a.records for a in accounts),
            expanded=sum(a.expanded for a in accounts),
            skipped=_total(a.skipped for a in accounts),
            quarantined=_total(a.quarantined for a in accounts),
            parts=tuple(part for a in accounts for part in a.parts),
            quarantine=tuple(part for a in accounts for part in a.quarantine),
            statistics=Statistics.merge(statistics) if statistics else None,
            activities=sum(activities) if activities else None,
            shortened=sum(a.shortened for a in accounts),
        )

    def dumps(self) -> bytes:
        """JSON, to be read back by `loads`."""
        document = {name: dict(getattr(self, name)) for name in _COUNTERS} | {
            "form": _FORM,
            "expanded": self.expanded,
            "parts": [asdict(part) for part in self.parts],
            "quarantine": [asdict(part) for part in self.quarantine],
            "statistics": self.statistics.state() if self.statistics else None,
        }
        return json.dumps(document).encode()

    @staticmethod
    def loads(data: bytes) -> "Account":
        """The account that was dumped.

        Raises:
            ValueError: It is none, or of another form.
        """
        try:
            found: dict[str, Any] = json.loads(data)
            state = found["statistics"]
            account = Account(
                records=Counter(found["records"]),
                expanded=int(found["expanded"]),
                skipped=Counter(found["skipped"]),
                quarantined=Counter(found["quarantined"]),
                parts=tuple(Part(**part) for part in found["parts"]),
                quarantine=tuple(Part(**part) for part in found["quarantine"]),
                statistics=Statistics.of_state(state) if state else None,
            )
            counted = account.statistics.windows if account.statistics else 0
            sound = found["form"] == _FORM and not account.lost and counted == account.windows
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError(f"not an account: {type(error).__name__}") from None
        if not sound:
            raise ValueError("not an account of this form, or one that does not add up")
        return account


def _total(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total
