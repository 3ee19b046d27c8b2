"""Settings: frozen models, unknown keys refused, YAML files and `--set a.b=value`."""

from jepa_ray.config.confirm import CONFIRM_FILE, ConfirmConfig
from jepa_ray.config.embedding import EmbedConfig
from jepa_ray.config.load import load_config, stored_config
from jepa_ray.config.probes import ProbeConfig
from jepa_ray.config.stages import (
    EvaluateConfig,
    ExportConfig,
    IcsConfig,
    ImportConfig,
    PrepareConfig,
    SplitConfig,
)
from jepa_ray.config.training import (
    CheckpointConfig,
    MaskConfig,
    ModelConfig,
    ObjectiveConfig,
    ScheduleConfig,
    TrainConfig,
)

__all__ = [
    "CONFIRM_FILE",
    "CheckpointConfig",
    "ConfirmConfig",
    "EmbedConfig",
    "EvaluateConfig",
    "ExportConfig",
    "IcsConfig",
    "ImportConfig",
    "MaskConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "PrepareConfig",
    "ProbeConfig",
    "ScheduleConfig",
    "SplitConfig",
    "TrainConfig",
    "load_config",
    "stored_config",
]
