"""Settings of training. The defaults are the preset `reference`; see presets.py for the others."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from jepa_ray.config.base import Config
from jepa_ray.config.presets import PRESETS, with_preset
from jepa_ray.config.stages import SplitConfig

MaskKind = Literal["span", "blocks", "future", "random"]
_SLOTS = 96  # of a window; its contract is a layer that settings do not know


class MaskConfig(Config):
    """Which slots are hidden."""

    kind: Literal["span", "blocks", "future", "random", "mixture"] = Field(
        "span",
        description="span: one contiguous span per window; blocks: two to `max_blocks` spans; "
        "future: all slots from a time on; random: single slots; mixture: a kind per window, drawn "
        "by `weights`.",
    )
    ratio: float = Field(0.40, gt=0, lt=1, description="Share of the 96 slots that is hidden.")
    max_ratio: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="If set, each step hides its own share, between ratio and this one.",
    )
    max_blocks: int = Field(
        4, ge=2, le=8, description="blocks, also in a mixture: most spans in a window."
    )
    weights: dict[MaskKind, float] = Field(
        default={"span": 1.0, "blocks": 1.0, "future": 1.0},
        description="mixture: how often each kind, relative to the others.",
    )

    @field_validator("ratio", "max_ratio")
    @classmethod
    def _something_is_hidden_and_visible(cls, value: float | None) -> float | None:
        if value is not None and not 0 < (count := round(value * _SLOTS)) < _SLOTS:
            raise ValueError(
                f"it hides {count} of {_SLOTS} slots; at least one must be hidden and one visible"
            )
        return value

    @model_validator(mode="after")
    def _ratios_and_weights_fit(self) -> "MaskConfig":
        if self.max_ratio is not None and self.max_ratio < self.ratio:
            raise ValueError(f"max_ratio ({self.max_ratio}) must not be below ratio ({self.ratio})")
        if min(self.weights.values(), default=0) < 0 or not sum(self.weights.values()) > 0:
            raise ValueError("weights must not be negative, and one must be above 0")
        return self


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


class ObjectiveConfig(Config):
    """What is minimised."""

    kind: Literal["jepa", "mae", "supervised"] = Field(
        "jepa",
        description="jepa: predict the target encoder's tokens of the hidden slots; mae: their "
        "features; supervised: whether each activity feature is on in them, from scratch.",
    )
    target: Literal["ema", "online"] = Field(
        "ema",
        description="jepa only: the target encoder is an EMA of the context encoder, or the "
        "context encoder itself without a gradient (only sound with a regulariser).",
    )
    regulariser: Literal["none", "vicreg", "sigreg", "visreg"] = Field(
        "none",
        description="Term against collapse, on a BatchNorm projector of the context encoder's "
        "tokens.",
    )
    weight: float = Field(
        1.0,
        ge=0,
        description="With a regulariser: its weight beside the loss, around 1 for vicreg and "
        "visreg, 0.02 to 0.1 for sigreg, which grows with the batch.",
    )
    slots: int = Field(
        8,
        ge=0,
        le=_SLOTS,
        description="With a regulariser: random slots a step that it sees across the batch.",
    )
    pooled: bool = Field(
        True, description="With a regulariser: it sees the mean over a window's slots, too."
    )
    directions: int = Field(
        256, ge=1, description="sigreg and visreg only: random directions a step."
    )
    projector_hidden: int = Field(
        128, ge=8, description="With a regulariser: hidden width of its projector."
    )
    projector_out: int = Field(
        64, ge=2, description="With a regulariser: outputs of its projector."
    )

    @model_validator(mode="after")
    def _a_regulariser_sees_something(self) -> "ObjectiveConfig":
        if self.regulariser != "none" and not self.slots and not self.pooled:
            raise ValueError(
                f"regulariser {self.regulariser} has nothing to look at with slots=0 and "
                "pooled=false; set slots above 0, pooled=true, or regulariser=none"
            )
        return self


class ScheduleConfig(Config):
    """What changes from step to step."""

    warmup: float = Field(
        0.0, ge=0, lt=1, description="Share of the steps over which lr rises from 0, linearly."
    )
    decay: Literal["constant", "cosine"] = Field(
        "constant", description="What lr does after warm-up."
    )
    end_lr: float = Field(
        0.0, ge=0, le=1, description="decay cosine only: lr at the end, as a share of lr."
    )
    end_ema: float | None = Field(
        None,
        ge=0,
        le=1,
        description="jepa with target ema only: if set, ema moves there by a cosine; None: it "
        "stays.",
    )


class CheckpointConfig(Config):
    """What is kept while training goes on, and which model is the result."""

    every: int | None = Field(
        None, ge=1, description="Steps between saved states to resume from; None: each validation."
    )
    keep_last: int = Field(2, ge=1, description="Saved states that are kept.")
    keep_best: Literal["activity", "skill", "rankme"] | None = Field(
        None,
        description="Keep the model of the validation where this was highest, too, as "
        "`best/schedule_jepa.pt`; `activity` is a ridge probe of what happens in the hidden slots; "
        "`skill` is for jepa only.",
    )


class TrainConfig(Config):
    """windows -> checkpoint. The defaults are the preset `reference`."""

    preset: Literal["reference", "robust"] = Field(
        "reference", description="Where the settings start from that are not given."
    )
    seed: int = Field(0, description="Weights, order and masks.", ge=0, lt=2**63)
    steps: int = Field(1000, ge=1, description="Optimiser steps.")
    mixing: Literal["interleaved", "sequential"] = Field(
        "interleaved",
        description="interleaved: each step draws from all datasets at once; sequential: the steps "
        "are cut into equal legs, one a dataset, in the order in which the datasets are named.",
    )
    batch_size: int = Field(32, ge=1, description="Windows of one step over all workers.")
    lr: float = Field(1e-3, gt=0, description="AdamW learning rate.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    decay_all: bool = Field(
        True, description="Whether biases, norms, positions and mask tokens are decayed, too."
    )
    clip_norm: float | None = Field(
        None, gt=0, description="Gradients are clipped to this norm; None: they are not."
    )
    ema: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="jepa with target ema only: decay of the target encoder per step.",
    )
    val_every: int = Field(
        200, ge=1, description="Steps between validations; the end is always one."
    )
    val_batches: int = Field(20, ge=1, description="Held-out batches of one validation.")
    guard: Literal["off", "warn", "stop"] = Field(
        "warn", description="What happens when a validation says that the embeddings collapse."
    )
    workers: int = Field(1, ge=1, description="Ray Train workers (DDP); divides batch_size.")
    min_workers: int | None = Field(
        None, ge=1, description="If set, training goes on with so many when workers are lost."
    )
    max_failures: int = Field(
        3, ge=0, description="Lost workers after which training resumes before it is given up."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where present.")
    threads: int | None = Field(
        None, ge=1, description="torch threads of a CPU worker; None: one, which is reproducible."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "fp32", description="bf16: autocast, the loss in fp32; auto: bf16 on a GPU that has it."
    )
    compile: bool = Field(False, description="Whether torch.compile fuses the step.")
    load_mode: Literal["auto", "memory", "streaming"] = Field(
        "auto",
        description="memory: sparse windows in memory; streaming: from Parquet, a bounded number "
        "of row groups at a time; auto: memory where the corpus fits.",
    )
    model: ModelConfig = Field(default_factory=ModelConfig, description="The network.")
    mask: MaskConfig = Field(default_factory=MaskConfig, description="Hidden slots.")
    objective: ObjectiveConfig = Field(default_factory=ObjectiveConfig, description="The loss.")
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig, description="Over steps.")
    checkpoint: CheckpointConfig = Field(
        default_factory=CheckpointConfig, description="States and results that are kept."
    )
    split: SplitConfig = Field(default_factory=SplitConfig, description="Held-out windows.")

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("preset") in PRESETS:
            return with_preset(data)
        return data

    @field_validator("guard", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """YAML reads a bare `off` as false."""
        return "off" if value is False else value

    @model_validator(mode="after")
    def _workers_divide_batch(self) -> "TrainConfig":
        if self.batch_size % self.workers:
            raise ValueError(f"workers ({self.workers}) must divide batch_size ({self.batch_size})")
        if self.min_workers is not None and self.min_workers > self.workers:
            raise ValueError(
                f"min_workers ({self.min_workers}) must not be above workers ({self.workers})"
            )
        return self

    @model_validator(mode="after")
    def _the_best_can_be_told(self) -> "TrainConfig":
        if self.checkpoint.keep_best == "skill" and self.objective.kind != "jepa":
            raise ValueError(
                f"checkpoint.keep_best=skill is for objective.kind=jepa: {self.objective.kind} "
                "predicts no embeddings, so it has no skill; set keep_best=activity or rankme"
            )
        return self
