"""Settings of the probes. A budget is one for all arms of a task."""

from typing import Literal

from pydantic import Field, field_validator

from jepa_ray.config.base import Config


class ProbeConfig(Config):
    """checkpoint -> what its frozen embeddings are good for."""

    seed: int = Field(
        0, description="Samples, sides, folds, projections, resamples.", ge=0, lt=2**63
    )
    train: int = Field(4000, ge=10, description="Windows a task fits its readouts on, at most.")
    test: int = Field(4000, ge=10, description="Windows a task is scored on, at most.")
    pool: int = Field(
        50_000, ge=10, description="Windows of each dataset that tasks choose from, at most."
    )
    min_windows: int = Field(
        100, ge=4, description="A task with fewer windows on either side is skipped."
    )
    min_class: int = Field(
        20, ge=2, description="A task with fewer windows of a class on either side is skipped."
    )
    test_groups: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Share of actors or projects, and of days, for testing, where the split of the "
        "checkpoint leaves an actor's windows, or a day's, on both sides.",
    )
    pooling: Literal["mean", "mean_std"] = Field(
        "mean",
        description="What an embedding is: the mean of the tokens over the slots, as in the "
        "product; or that and their standard deviation.",
    )
    penalties: tuple[float, ...] = Field(
        (1.0, 10.0, 100.0, 1000.0, 10_000.0),
        min_length=1,
        description="Grid of L2 penalties of logistic and ridge readouts, chosen by "
        "cross-validation over groups of the training windows.",
    )
    folds: int = Field(3, ge=2, description="Of that cross-validation.")
    tree_rounds: int = Field(60, ge=1, description="Trees (of 15 leaves) of a boosted readout.")
    neighbours: int = Field(
        20, ge=1, description="Training windows that a nearest-neighbour readout asks, by cosine."
    )
    attentive_steps: int = Field(
        200, ge=1, description="Of an attentive readout, each on up to 256 training windows."
    )
    slot_components: int = Field(
        8, ge=1, description="Principal components of each slot, in the readout of all slots."
    )
    draws: int = Field(
        1000, ge=1000, description="Resamples of the bootstrap; fewer could tell no win of many."
    )
    processes: int = Field(
        2, ge=1, description="Tasks worked on at once, each by one thread; 1: in this process."
    )

    @field_validator("penalties")
    @classmethod
    def _penalties_are_positive(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if min(values) <= 0:
            raise ValueError("penalties must be above 0")
        return values
