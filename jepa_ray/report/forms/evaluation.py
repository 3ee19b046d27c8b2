"""evaluation.json, of a checkpoint and of a run."""

from typing import Annotated

from msgspec import Meta, Struct, field

from jepa_ray.report.forms.base import Ends, Named, Numbers, Some, Spread


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

    by_distance: Annotated[list[Distance], Meta(min_length=1, max_length=96)]


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
    """A number of the trained model and of the untrained one; None where it cannot be told."""

    trained: float | None
    untrained: float | None


class Referees(Struct):
    """Fixed targets."""

    referee: Named[Pairs]


class Spectrum(Struct):
    """Singular values."""

    trained: Some
    untrained: Some


class SpectrumOf(Struct):
    """The spectrum of an evaluation."""

    spectrum: Spectrum


class Control(Struct):
    """A negative control; of a run, `passed` of the `judged` passes, those that could tell."""

    value: float | Spread | None = None
    passed: bool | int | None = None
    judged: int | None = None
    interval: Ends = None
    expected: str | None = None
    sentence: str | None = None


class Controls(Struct):
    """The controls of an evaluation."""

    controls: Named[Control]


class Sample(Struct):
    """How many windows were scored, how many differ, and what those new to the model say."""

    windows: int
    distinct: int
    effective: float
    seen_in_training: float | None = None
    unseen: Part | None = None


class SampleOf(Struct):
    """The sample of an evaluation."""

    sample: Sample


class Points(Struct):
    """Windows in the plane."""

    x: Some
    y: Some
    dataset: Annotated[list[int], Meta(min_length=1, max_length=4096)]
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
