"""passNN/report.json and confirmation.json."""

from typing import Annotated

from msgspec import Meta, Struct, field

from jepa_ray.report.forms.base import Named, Spread


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
    """What became of a dataset by the end; `forgetting` is null where it always came last."""

    learned: Spread
    final: Spread
    forgetting: Spread | None = None
    learned_skill: Spread | None = None
    final_skill: Spread | None = None


class Forgetting(Struct):
    """The forgetting of confirmation.json."""

    forgetting: Named[Forgotten] | None = None
