"""One checkpoint format: saved atomically, loaded with weights_only, from any fsspec URL."""

from jepa_ray.checkpoint.files import (
    FILE_NAME,
    Checkpoint,
    load_checkpoint,
    load_model,
    save_checkpoint,
)

__all__ = ["FILE_NAME", "Checkpoint", "load_checkpoint", "load_model", "save_checkpoint"]
