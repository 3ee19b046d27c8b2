"""metrics.jsonl and provenance.json of a training, manifest.json and stats.json of a dataset."""

from msgspec import Struct, field

from jepa_ray.report.forms.base import Named


class Validation(Struct):
    """A row of metrics.jsonl."""

    step: int
    val_loss: float | None = None
    skill: float | None = None
    rankme: float | None = None
    train_loss: float | None = None


class Prepared(Struct):
    """manifest.json."""

    status: str
    dataset: str = ""
    reason: str | None = None
    records: int = 0
    windows: int = 0
    expanded: int = 0
    distinct_windows: int = 0
    fingerprint: str | None = None
    windowing: str | None = None
    code_version: str | None = None
    adapter_version: int | str | None = None
    activities: int | None = None
    skipped: Named[int] = field(default_factory=dict)
    quarantined: Named[int] = field(default_factory=dict)


class Feature(Struct):
    """A feature of a dataset."""

    mean: float
    std: float
    max: float
    nonzero_share: float


class Statistics(Struct):
    """stats.json."""

    entropy_bits: float
    earliest: str | None
    latest: str | None
    features: Named[Feature]


class Provenance(Struct):
    """provenance.json."""

    code_version: str | None = None
    torch_version: str | None = None
    ray_version: str | None = None
    contract_version: int | None = None
    objective: str | None = None
    precision: str | None = None
    device: str | None = None
    workers: int | None = None
    train_windows: int | None = None
    val_windows: int | None = None
    created_utc: str | None = None
    datasets: Named[str] = field(default_factory=dict)
    split: dict[str, str | int | float | None] = field(default_factory=dict)
