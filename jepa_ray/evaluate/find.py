"""What a path given to `evaluate` is: a checkpoint, a confirmation run, or something unfinished."""

import re
from typing import Any

import yaml

from jepa_ray.checkpoint import FILE_NAME, Checkpoint, load_checkpoint, state_steps
from jepa_ray.config import CONFIRM_FILE
from jepa_ray.errors import CheckpointError
from jepa_ray.storage import exists, join, list_names, read_bytes, read_json

CONFIRMATION = "confirmation.json"
_TRAIN_CONFIG = "config.yaml"
_REPORT = "report.json"


def load_finished(url: str) -> Checkpoint:
    """`load_checkpoint`, which says of a training under way how far it is.

    Raises:
        CheckpointError: As `load_checkpoint`, or the training is not finished.
    """
    try:
        return load_checkpoint(url)
    except CheckpointError:
        unfinished = _training_under_way(url.rstrip("/").removesuffix(f"/{FILE_NAME}"))
        if unfinished:
            raise CheckpointError(unfinished) from None
        raise


def _training_under_way(folder: str) -> str | None:
    """What to say of a folder that a training began and did not finish; None: it is none."""
    if folder.endswith((".pt", ".safetensors")):
        return None
    names = list_names(folder)
    if FILE_NAME in names or _TRAIN_CONFIG not in names:
        return None
    steps = max(state_steps(folder), default=0)
    wanted = _steps(join(folder, _TRAIN_CONFIG))
    return (
        f"{folder}: the training is unfinished, {steps:,} of {wanted} steps are saved; the same "
        "`jepa-ray train` command goes on, then evaluate it"
    )


def _steps(url: str) -> str:
    try:
        found = yaml.safe_load(read_bytes(url))
        return f"{int(found['steps']):,}"
    except (yaml.YAMLError, TypeError, KeyError, ValueError):
        return "an unknown number of"


def confirmation(url: str) -> dict[str, Any] | None:
    """The confirmation.json of a run; None where the path is no confirmation run.

    Raises:
        CheckpointError: The run is unfinished, or its confirmation.json is of another form.
    """
    if url.endswith((".pt", ".safetensors")):
        return None
    try:
        found = read_json(join(url, CONFIRMATION))
    except (FileNotFoundError, NotADirectoryError):
        if exists(join(url, CONFIRM_FILE)):
            raise CheckpointError(_confirmation_under_way(url)) from None
        return None
    except ValueError:
        raise CheckpointError(f"{url}/{CONFIRMATION} is not JSON; it is damaged") from None
    passes = found.get("passes") if isinstance(found, dict) else None
    if not isinstance(passes, list) or not passes or not all(map(_is_pass, passes)):
        raise CheckpointError(f"{url}/{CONFIRMATION} lists no passes; it is damaged")
    document: dict[str, Any] = found
    return document


def _is_pass(entry: object) -> bool:
    """Whether it names a folder of the run, and none elsewhere."""
    name = entry.get("pass") if isinstance(entry, dict) else None
    return isinstance(name, str) and re.fullmatch(r"pass[0-9]+", name) is not None


def _confirmation_under_way(url: str) -> str:
    passes = [name for name in list_names(url) if name.startswith("pass")]
    done = sum(_REPORT in list_names(join(url, name)) for name in passes)
    return (
        f"{url}: the confirmation run is unfinished, {done} passes are done; the same `jepa-ray "
        "confirm` command goes on, then evaluate it"
    )
