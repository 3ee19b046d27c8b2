"""Settings: frozen models, unknown keys refused, YAML files and `--set a.b=value`."""

from jepa_ray.config.load import load_config
from jepa_ray.config.models import (
    EvaluateConfig,
    ExportConfig,
    IcsConfig,
    ImportConfig,
    MaskConfig,
    ModelConfig,
    PrepareConfig,
    SplitConfig,
    TrainConfig,
)

__all__ = [
    "EvaluateConfig",
    "ExportConfig",
    "IcsConfig",
    "ImportConfig",
    "MaskConfig",
    "ModelConfig",
    "PrepareConfig",
    "SplitConfig",
    "TrainConfig",
    "load_config",
]
