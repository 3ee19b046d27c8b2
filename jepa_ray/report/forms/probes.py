"""probes.json."""

from msgspec import Struct, field

from jepa_ray.report.forms.base import Ends, Named


class Score(Struct):
    """An arm of a probe."""

    score: float
    interval: Ends = None


class Difference(Struct):
    """Ours less another arm."""

    difference: float
    interval: Ends = None
    p: float | None = None
    p_holm: float | None = None


class Task(Struct):
    """A probe."""

    label: str
    metric: str
    arms: Named[Score]
    sentence: str
    wins: bool
    higher_is_better: bool = True
    train: int | None = None
    test: int | None = None
    groups: int | None = None
    split: str | None = None
    input: str | None = None
    differences: Named[Difference] = field(default_factory=dict)
    knn: Named[Score] = field(default_factory=dict)
    attentive: Named[Score] = field(default_factory=dict)
    per_slot: Named[Score] = field(default_factory=dict)
    added_value: Difference | None = None


class Probes(Struct):
    """probes.json."""

    tasks: Named[Task]
    skipped: Named[str] = field(default_factory=dict)
    verdict: str | None = None
    windows: int | None = None
