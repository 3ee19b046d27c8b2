"""One checkpoint format and the states to resume from, on any fsspec URL."""

from jepa_ray.checkpoint.files import (
    FILE_NAME,
    SAFETENSORS_NAME,
    Checkpoint,
    checkpoint_document,
    load_checkpoint,
    load_model,
    save_checkpoint,
    write_document,
    write_safetensors,
)
from jepa_ray.checkpoint.states import (
    STATES,
    read_state,
    state_steps,
    state_url,
    write_state,
)

__all__ = [
    "FILE_NAME",
    "SAFETENSORS_NAME",
    "STATES",
    "Checkpoint",
    "checkpoint_document",
    "load_checkpoint",
    "load_model",
    "read_state",
    "save_checkpoint",
    "state_steps",
    "state_url",
    "write_document",
    "write_safetensors",
    "write_state",
]
