"""One checkpoint format and the states to resume from, on any fsspec URL."""

from jepa_ray.checkpoint.files import (
    FILE_NAME,
    SAFETENSORS_NAME,
    Checkpoint,
    DamagedError,
    checkpoint_document,
    load_checkpoint,
    load_model,
    read_document,
    save_checkpoint,
    write_document,
    write_safetensors,
)
from jepa_ray.checkpoint.states import (
    STATES,
    newest_state,
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
    "DamagedError",
    "checkpoint_document",
    "load_checkpoint",
    "load_model",
    "newest_state",
    "read_document",
    "read_state",
    "save_checkpoint",
    "state_steps",
    "state_url",
    "write_document",
    "write_safetensors",
    "write_state",
]
