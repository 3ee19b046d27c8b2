"""What a training left beside its checkpoint, against the checkpoint."""

import safetensors.torch
import torch
import yaml
from safetensors import SafetensorError

from jepa_ray.checkpoint import SAFETENSORS_NAME, Checkpoint, newest_state
from jepa_ray.config import TrainConfig, stored_config
from jepa_ray.confirm.checks import WrongError, require, require_equal
from jepa_ray.confirm.differences import differences
from jepa_ray.confirm.recorded import read_document
from jepa_ray.storage import join, read_bytes
from jepa_ray.train.keeper import CONFIG_FILE, PROVENANCE_FILE

_MOST_TOLD = 3


def left_beside(folder: str, found: Checkpoint) -> str:
    """A proof: weights for other tools, settings and provenance are the checkpoint's.

    The newest state need not be there; it must load, since a run that is mended goes on from it.

    Args:
        folder: Of the training.
        found: Its checkpoint.
    """
    _same_weights(folder, found)
    _same_settings(folder, found)
    about = read_document(join(folder, PROVENANCE_FILE))
    wrong = list(differences("", about, found.provenance))
    require(not wrong, f"{PROVENANCE_FILE}: {'; '.join(wrong[:_MOST_TOLD])}")
    state, damaged = newest_state(folder)
    require(not damaged, damaged)
    return f"{SAFETENSORS_NAME}, {CONFIG_FILE} and {PROVENANCE_FILE} say the same, " + (
        f"the state of step {state['step']} loads" if state else "no state is there"
    )


def _same_weights(folder: str, found: Checkpoint) -> None:
    ours = found.model.state_dict()
    try:
        theirs = safetensors.torch.load(_read(folder, SAFETENSORS_NAME))
    except (SafetensorError, ValueError) as error:
        raise WrongError(f"{SAFETENSORS_NAME} is damaged: {error}") from None
    require_equal(f"the names of {SAFETENSORS_NAME}", sorted(theirs), sorted(ours))
    other = [key for key, value in ours.items() if not torch.equal(value, theirs[key])]
    require(not other, f"{SAFETENSORS_NAME} has other weights: {', '.join(other[:_MOST_TOLD])}")


def _same_settings(folder: str, found: Checkpoint) -> None:
    try:
        theirs = stored_config(TrainConfig, yaml.safe_load(_read(folder, CONFIG_FILE)))
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise WrongError(f"{CONFIG_FILE} is damaged: {error}") from None
    ours = (each.model_dump(mode="json") for each in (theirs, found.config))
    wrong = list(differences("", *ours))
    require(not wrong, f"{CONFIG_FILE}: {'; '.join(wrong[:_MOST_TOLD])}")


def _read(folder: str, name: str) -> bytes:
    try:
        return read_bytes(join(folder, name))
    except FileNotFoundError:
        raise WrongError(f"{name} is missing") from None
