"""Settings of all stages but training. Every field says what it is; unknown keys are refused."""

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from jepa_ray.config.base import Config


class IcsConfig(Config):
    """How far recurring calendar events are expanded."""

    max_occurrences: int = Field(
        64, ge=1, le=10_000, description="Occurrences taken from one recurring event at most."
    )
    horizon_days: int = Field(
        3650, ge=1, le=36_500, description="Days after its first start that a recurrence may reach."
    )


class PrepareConfig(Config):
    """raw sources -> windows."""

    windowing: Literal["record", "actor_day"] = Field(
        "record",
        description="record: one window per record; actor_day: all activity of one actor on one "
        "local day in one window, as a dataset of its own, `<dataset>_actor_day`.",
    )
    max_bad_fraction: float = Field(
        0.05, ge=0, le=1, description="Share of quarantined records above which a dataset fails."
    )
    actor_salt: str = Field(
        "jepa-ray",
        min_length=1,
        description="Salt of all hashed names; JEPA_RAY_ACTOR_SALT overrides it. Never stored.",
    )
    raw_block_bytes: int = Field(
        32 << 20, ge=1 << 12, le=1 << 30, description="Raw bytes handed to one parsing task."
    )
    max_record_bytes: int = Field(
        16 << 20, ge=1 << 10, le=1 << 30, description="A longer line, mail or file is quarantined."
    )
    max_expansion: int = Field(
        250, ge=2, le=100_000, description="A compressed file that expands further ends there."
    )
    max_source_bytes: int = Field(
        1 << 40, ge=1 << 20, description="A compressed file that expands to more ends there."
    )
    ics: IcsConfig = Field(default_factory=IcsConfig, description="Calendar recurrences.")
    actor_day_partitions: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="actor_day: how many files of windows; None: by the bytes of the input.",
    )
    read_tasks: int | None = Field(
        None, ge=1, description="Files read at once at most; None: as Ray Data finds room."
    )
    parse_tasks: int | None = Field(
        None, ge=1, description="Parsing tasks at once at most; None: one a CPU."
    )
    num_cpus: int | None = Field(
        None, ge=1, description="CPUs of the local Ray; None: all of them. Unused on a cluster."
    )


class SplitConfig(Config):
    """Which windows are held out. A function of this and of the window, never a file."""

    mode: Literal["random_resplit", "grouped", "temporal"] = Field(
        "random_resplit",
        description="random_resplit: by window_uid; grouped: no actor on both sides; "
        "temporal: the last windows in time are held out.",
    )
    seed: int = Field(0, description="Another seed is another split.", ge=0, lt=2**63)
    val_fraction: float = Field(0.1, gt=0, lt=1, description="Share of windows held out.")
    cut: dt.datetime | None = Field(
        None, description="temporal only: windows from this local time on are held out."
    )

    @model_validator(mode="after")
    def _cut_belongs_to_temporal(self) -> "SplitConfig":
        if self.cut is not None and self.mode != "temporal":
            raise ValueError(f"cut is for mode 'temporal', mode is '{self.mode}'")
        return self


class ExportConfig(Config):
    """prepared windows -> JSON records."""

    split: SplitConfig = Field(default_factory=SplitConfig, description="Held-out windows.")


class ImportConfig(Config):
    """JSON records -> prepared windows."""

    max_bad_fraction: float = Field(
        0.05, ge=0, le=1, description="Share of quarantined records above which a dataset fails."
    )
    actor_salt: str = Field(
        "jepa-ray",
        min_length=1,
        description="Salt for actors and projects that come by name; JEPA_RAY_ACTOR_SALT overrides "
        "it. Never stored.",
    )


class EvaluateConfig(Config):
    """checkpoint -> numbers."""

    batches: int = Field(100, ge=1, description="Held-out batches.")
    batch_size: int = Field(32, ge=2, description="Windows of one batch.")
    dataset_batches: int = Field(
        20,
        ge=1,
        description="Batches that each dataset is scored on, if it has few in the others; at most "
        "`batches`.",
    )
    mask_batches: int = Field(
        20, ge=1, description="Of `batches`, the first ones, that each kind of mask is tried on."
    )
    control_batches: int = Field(
        10, ge=1, description="Of `batches`, the first ones, that the negative controls change."
    )
    training_batches: int = Field(
        40,
        ge=1,
        description="Batches of training windows that baselines and referee are fitted on.",
    )
    draws: int = Field(1000, ge=100, description="Resamples of a confidence interval.")
    seed: int = Field(0, description="Which windows and masks are drawn.", ge=0, lt=2**63)
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where present.")
    threads: int = Field(
        1, ge=1, description="torch threads on a CPU; one is reproducible, and steady under load."
    )
