"""`schedule_jepa.pt`: one dict of tensors and plain values, saved atomically, loaded safely.

Loading uses torch's weights_only reader: a checkpoint from a stranger runs no code. The file is a
zip, and torch does not look at its checksums, so we do: a flipped bit is no weight.
"""

import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from jepa_ray.config import TrainConfig, stored_config
from jepa_ray.errors import CheckpointError, ConfigError, JepaRayError
from jepa_ray.model import ScheduleJEPA
from jepa_ray.storage import join, read_bytes, write_bytes
from jepa_ray.windows import CONTRACT_VERSION

FILE_NAME = "schedule_jepa.pt"
SAFETENSORS_NAME = "model.safetensors"
FORMAT_VERSION = 1
_MODULES = ("context_encoder", "target_encoder", "predictor")
_KEYS = ("config", *_MODULES, "step", "provenance")


class DamagedError(CheckpointError):
    """A file is there and can be read, but is no whole checkpoint."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        url: Of the file.
        model: In eval mode, on the CPU.
        config: Of the training.
        step: Optimiser steps done.
        provenance: Code version, datasets with fingerprints, when and where.
    """

    url: str
    model: ScheduleJEPA
    config: TrainConfig
    step: int
    provenance: dict[str, Any]


def checkpoint_document(
    model: ScheduleJEPA, config: TrainConfig, *, step: int, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """What a checkpoint holds, with a copy of the weights on the CPU: the model may train on."""
    document = {
        "format_version": FORMAT_VERSION,
        "contract_version": CONTRACT_VERSION,
        "config": config.model_dump(mode="json"),
        "step": step,
        "provenance": dict(provenance),
    }
    for name in _MODULES:
        state = getattr(model, name).state_dict()
        document[name] = {key: value.detach().cpu().clone() for key, value in state.items()}
    return document


def write_document(url: str, document: Mapping[str, Any]) -> None:
    """Write tensors and plain values as a torch file, whole or not at all."""
    buffer = io.BytesIO()
    torch.save(dict(document), buffer)
    write_bytes(url, buffer.getvalue())


def write_safetensors(url: str, document: Mapping[str, Any]) -> None:
    """Write the weights of a checkpoint for other tools, named as in `ScheduleJEPA.state_dict`."""
    weights = {f"{name}.{key}": value for name in _MODULES for key, value in document[name].items()}
    about = {"format": "pt", "contract_version": str(document["contract_version"])}
    write_bytes(url, safetensors.torch.save(weights, about))


def save_checkpoint(
    folder: str,
    model: ScheduleJEPA,
    config: TrainConfig,
    *,
    step: int,
    provenance: Mapping[str, Any],
) -> str:
    """Write `schedule_jepa.pt` into a folder (path or URL), whole or not at all; return its URL."""
    url = join(folder, FILE_NAME)
    write_document(url, checkpoint_document(model, config, step=step, provenance=provenance))
    return url


def load_checkpoint(url: str | Path) -> Checkpoint:
    """Read a checkpoint from a path or any fsspec URL.

    Args:
        url: A `.pt` file, or the folder that holds `schedule_jepa.pt`.

    Raises:
        CheckpointError: It is absent, damaged, of another format or contract, or not finite.
    """
    if str(url).endswith(".safetensors"):
        raise CheckpointError(
            f"{url} is for other tools; pass {FILE_NAME} beside it, or the folder"
        )
    file = str(url) if str(url).endswith(".pt") else join(url, FILE_NAME)
    document = read_document(file)
    for name, ours in (("format_version", FORMAT_VERSION), ("contract_version", CONTRACT_VERSION)):
        if document.get(name) != ours:
            raise CheckpointError(
                f"{file}: {name} is {document.get(name)!r}, this version reads {ours}"
            )
    absent = [key for key in _KEYS if key not in document]
    if absent:
        raise CheckpointError(f"{file}: it lacks {', '.join(absent)}")
    try:
        config = stored_config(TrainConfig, document["config"])
        model = ScheduleJEPA(config.model, seed=0)
        for name in _MODULES:
            getattr(model, name).load_state_dict(document[name])
        step, provenance = int(document["step"]), dict(document["provenance"])
        provenance["datasets"] = dict(provenance.get("datasets", {}))
    except (
        TypeError,
        ValueError,
        RuntimeError,
        AttributeError,
        ConfigError,
    ) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{file}: its content does not fit: {reason}") from None
    for key, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{file}: {key} holds a value that is not finite")
    return Checkpoint(file, model.eval(), config, step, provenance)


def load_model(url: str | Path) -> ScheduleJEPA:
    """Only the model of `load_checkpoint`."""
    return load_checkpoint(url).model


def read_document(file: str) -> dict[str, Any]:
    """The dict of a torch file, by the reader that runs no code of it.

    Raises:
        DamagedError: It is damaged or something else.
        CheckpointError: It is absent or cannot be read.
    """
    try:
        data = read_bytes(file)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        hint = f"of a confirmation run, give passNN/NAME/{FILE_NAME}"
        raise CheckpointError(f"no checkpoint at {file}; {hint}") from None
    except JepaRayError:
        raise
    except Exception as error:  # noqa: BLE001 - every file system has errors of its own
        raise CheckpointError(f"{file} cannot be read: {type(error).__name__}: {error}") from None
    reason = _wrong_checksum(data)
    if reason:
        raise DamagedError(f"{file} is not a checkpoint, or damaged: {reason}")
    try:
        document = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        reason = "it holds something other than tensors and plain values"
    except Exception as error:  # noqa: BLE001 - garbage makes torch raise nearly anything
        reason = f"torch cannot read it ({type(error).__name__})"
    if reason:
        raise DamagedError(f"{file} is not a checkpoint, or damaged: {reason}")
    if not isinstance(document, dict):
        raise DamagedError(f"{file} is not a checkpoint: it holds a {type(document).__name__}")
    return document


def _wrong_checksum(data: bytes) -> str | None:
    """What is wrong with a zip file, by the checksums of its entries."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = archive.testzip()
    except Exception as error:  # noqa: BLE001 - garbage makes zipfile raise nearly anything
        return f"it is no whole zip file ({type(error).__name__})"
    return f"the checksum of its entry {entry} is wrong" if entry else None
