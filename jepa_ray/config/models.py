"""One frozen model per stage. Every field says what it is; unknown keys are refused."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Config(BaseModel):
    """What all settings share: frozen, no key that we do not know, no infinite number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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


class MaskConfig(Config):
    """Which slots are hidden."""

    kind: Literal["span"] = Field("span", description="One contiguous span per window.")
    ratio: float = Field(0.40, gt=0, lt=1, description="Share of the 96 slots that is hidden.")


class ModelConfig(Config):
    """The network. The defaults are the preset `reference`."""

    d_model: int = Field(64, ge=8, description="Width of a token and of an embedding.")
    layers: int = Field(2, ge=1, description="Blocks of each encoder.")
    heads: int = Field(4, ge=1, description="Attention heads; divides d_model.")
    mlp: int = Field(128, ge=8, description="Hidden width of a block's MLP.")
    predictor_layers: int = Field(1, ge=1, description="Blocks of the predictor.")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ModelConfig":
        if self.d_model % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide d_model ({self.d_model})")
        return self


class TrainConfig(Config):
    """windows -> checkpoint. The defaults are the preset `reference`."""

    seed: int = Field(0, description="Weights, order and masks.", ge=0, lt=2**63)
    steps: int = Field(1000, ge=1, description="Optimiser steps.")
    batch_size: int = Field(32, ge=1, description="Windows of one step over all workers.")
    lr: float = Field(1e-3, gt=0, description="AdamW learning rate.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    ema: float = Field(0.99, ge=0, lt=1, description="Decay of the target encoder per step.")
    val_every: int = Field(
        200, ge=1, description="Steps between validations; the end is always one."
    )
    val_batches: int = Field(20, ge=1, description="Held-out batches of one validation.")
    workers: int = Field(1, ge=1, description="Ray Train workers (DDP); divides batch_size.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where present.")
    threads: int | None = Field(
        None, ge=1, description="torch threads of a CPU worker; None: one, which is reproducible."
    )
    model: ModelConfig = Field(default_factory=ModelConfig, description="The network.")
    mask: MaskConfig = Field(default_factory=MaskConfig, description="Hidden slots.")
    split: SplitConfig = Field(default_factory=SplitConfig, description="Held-out windows.")

    @model_validator(mode="after")
    def _workers_divide_batch(self) -> "TrainConfig":
        if self.batch_size % self.workers:
            raise ValueError(f"workers ({self.workers}) must divide batch_size ({self.batch_size})")
        return self


class EvaluateConfig(Config):
    """checkpoint -> numbers."""

    batches: int = Field(100, ge=1, description="Held-out batches.")
    batch_size: int = Field(32, ge=2, description="Windows of one batch.")
    seed: int = Field(0, description="Which windows and masks are drawn.", ge=0, lt=2**63)
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where present.")
    threads: int = Field(
        1, ge=1, description="torch threads on a CPU; one is reproducible, and steady under load."
    )
