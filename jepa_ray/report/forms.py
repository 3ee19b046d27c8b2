"""The keys of result files that the report reads; others may be there. Forms: docs/report.md.

A part of the page reads its own keys only, so one wrong value spoils one part. Lists are bounded:
a result file is not a place for millions of numbers.
"""

from typing import Annotated, TypeVar

from msgspec import Meta, Struct, field

T = TypeVar("T")
Named = Annotated[dict[str, T], Meta(max_length=256)]
"""By dataset, task, arm or kind."""
Numbers = Annotated[list[float], Meta(max_length=4096)]
Ends = tuple[float, float] | None
"""Ends of an interval."""


class Spread(Struct):
    """A number over seeds."""

    mean: float
    low: float
    high: float
    n: int
    std: float = 0.0


class Leg(Struct):
    """Losses after a dataset's turn; no dataset: before the first."""

    dataset: str | None
    losses: Named[float]


class Trained(Struct):
    """A checkpoint of a pass."""

    val_loss: float
    train_loss: float | None = None
    untrained_loss: float | None = None
    skill: float | None = None
    rankme: float | None = None
    untrained_rankme: float | None = None
    steps: int | None = None
    train_windows: int | None = None
    val_windows: int | None = None
    collapsing: bool | None = None


class Pass(Struct):
    """passNN/report.json."""

    seed: int
    order: Annotated[list[str], Meta(max_length=256)]
    val_loss: float
    checkpoints: Named[Trained]
    train_loss: float | None = None
    train_windows: int | None = None
    val_windows: int | None = None
    device: str | None = None
    workers: int | None = None
    code_version: str | None = None
    seconds: float | None = None
    started_utc: str | None = None
    ended_utc: str | None = None


class Legs(Struct):
    """The order of a pass."""

    legs: Annotated[list[Leg], Meta(max_length=256)] | None = None


class DatasetState(Struct):
    """A dataset in confirmation.json."""

    status: str
    reason: str | None = None
    windows: int | None = None
    fingerprint: str | None = None


class Overall(Struct):
    """confirmation.json without what other forms read."""

    run_id: str | None = None
    processed_dir: str | None = None
    preset: str | None = None
    mixing: str | None = None
    steps: int | None = None
    batch_size: int | None = None
    seeds: Annotated[list[int], Meta(max_length=1000)] = field(default_factory=list)
    code_version: str | None = None
    started_utc: str | None = None
    ended_utc: str | None = None
    seconds: float | None = None


class States(Struct):
    """Datasets of confirmation.json."""

    datasets: Named[DatasetState]


class LossSpread(Struct):
    """Of a dataset or combined, over seeds."""

    val_loss: Spread
    skill: Spread | None = None
    rankme: Spread | None = None


class Spreads(Struct):
    """The spread of confirmation.json."""

    spread: Named[LossSpread]


class Forgotten(Struct):
    """How much of a dataset is lost by the end."""

    learned: Spread
    final: Spread
    forgetting: Spread


class Forgetting(Struct):
    """The forgetting of confirmation.json."""

    forgetting: Named[Forgotten] | None = None


class Judged(Struct):
    """What an evaluation comes to."""

    status: str
    verdict: str
    warnings: Annotated[list[str], Meta(max_length=256)] = field(default_factory=list)


class Monitors(Struct):
    """Numbers of a model on the scored windows."""

    loss: float
    skill: float | None = None
    slot_std: float | None = None
    rankme: float | None = None
    cosine_to_mean: float | None = None


class Compared(Struct):
    """Trained against untrained, of one checkpoint."""

    trained: Monitors
    untrained: Monitors
    reduction: float | None = None
    windows: int | None = None
    cka_with_untrained: float | None = None
    intervals: Named[Ends] = field(default_factory=dict)


class SpreadOf(Struct):
    """The spread of a run's evaluation.json."""

    spread: Named[Spread | None]


class Part(Struct):
    """Loss and skill of a part of the windows; of one checkpoint numbers, of a run spreads."""

    loss: float | Spread | None = None
    skill: float | Spread | None = None
    loss_interval: Ends = None
    skill_interval: Ends = None
    windows: int | None = None


class Distance(Part):
    """Loss and skill so many slots from the nearest visible one."""

    first: int = field(name="from", default=0)
    last: int = field(name="to", default=0)


class ByDataset(Struct):
    """By dataset."""

    datasets: Named[Part]


class ByMask(Struct):
    """By kind of mask."""

    by_mask: Named[Part]


class ByDistance(Struct):
    """By distance."""

    by_distance: Annotated[list[Distance], Meta(max_length=96)]


class Baselines(Struct):
    """Against simple predictions."""

    baselines: Named[Part]


class Levels(Struct):
    """Collapse at four levels."""

    overall: Named[float | None] = field(name="global")
    slot: Named[float | None]
    dimension: dict[str, Numbers | float | None]
    actor: Named[float | None] | None = None


class Collapse(Struct):
    """Collapse, trained and untrained."""

    trained: Levels = field(name="trained")
    untrained: Levels = field(name="untrained")


class CollapseOf(Struct):
    """The collapse of an evaluation."""

    collapse: Collapse


class Pairs(Struct):
    """A number of the trained model and of the untrained one."""

    trained: float
    untrained: float


class Referees(Struct):
    """Fixed targets."""

    referee: Named[Pairs]


class Spectrum(Struct):
    """Singular values."""

    trained: Numbers
    untrained: Numbers


class SpectrumOf(Struct):
    """The spectrum of an evaluation."""

    spectrum: Spectrum


class Control(Struct):
    """A negative control; of a run, `passed` counts the passes that passed it."""

    value: float | Spread | None = None
    passed: bool | int | None = None
    interval: Ends = None
    expected: str | None = None
    sentence: str | None = None


class Controls(Struct):
    """The controls of an evaluation."""

    controls: Named[Control]


class Sample(Struct):
    """How many windows were scored, and how many differ."""

    windows: int
    distinct: int
    effective: float


class SampleOf(Struct):
    """The sample of an evaluation."""

    sample: Sample


class Points(Struct):
    """Windows in the plane."""

    x: Numbers
    y: Numbers
    dataset: Annotated[list[int], Meta(max_length=4096)]
    names: Annotated[list[str], Meta(max_length=256)]
    explained: Numbers = field(default_factory=list)


class MapOf(Struct):
    """The map of an evaluation."""

    points: Points = field(name="map")


Row = Annotated[list[float], Meta(min_length=16, max_length=16)]


class Example(Struct):
    """A window, its hidden slots and the error at each."""

    dataset: str
    dense: Annotated[list[Row], Meta(min_length=96, max_length=96)]
    hidden: Annotated[list[Annotated[int, Meta(ge=0, le=95)]], Meta(min_length=1, max_length=96)]
    error: Annotated[list[float], Meta(max_length=96)]
    window_uid: str = ""


class ExamplesOf(Struct):
    """The windows of an evaluation."""

    examples: Annotated[list[Example], Meta(max_length=64)]


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
    differences: Named[Difference] = field(default_factory=dict)
    added_value: Difference | None = None


class Probes(Struct):
    """probes.json."""

    tasks: Named[Task]
    skipped: Named[str] = field(default_factory=dict)
    verdict: str | None = None
    windows: int | None = None


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
