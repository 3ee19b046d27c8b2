"""States to resume from: `<run>/states/step-00000200.pt`, one file each.

A state is a checkpoint (`jepa_ray.load` takes it) with one more entry, `resume`. It becomes visible
whole or not at all, so the newest one that is there is the one to go on from.
"""

import re
from collections.abc import Mapping
from typing import Any

from jepa_ray.checkpoint.files import FORMAT_VERSION, DamagedError, read_document, write_document
from jepa_ray.errors import CheckpointError
from jepa_ray.storage import delete, join, list_names
from jepa_ray.windows import CONTRACT_VERSION

STATES = "states"
STATE_VERSION = 1
"""Of the entry `resume`; counted up when a state of older code must not be resumed."""

_NAME = re.compile(r"step-(\d{8,})\.pt")


def state_url(folder: str, step: int) -> str:
    """Where the state of a step lies in a run's folder."""
    return join(folder, STATES, f"step-{step:08d}.pt")


def state_steps(folder: str) -> list[int]:
    """Steps whose states are there, in order."""
    found = (_NAME.fullmatch(name) for name in list_names(join(folder, STATES)))
    return sorted(int(match[1]) for match in found if match)


def write_state(
    folder: str, checkpoint: Mapping[str, Any], resume: Mapping[str, Any], *, keep: int
) -> str:
    """Write a state, then delete all but the newest `keep`; return its URL.

    Those of later steps go, too: they are the damaged ones that `newest_state` passed over.
    """
    url = state_url(folder, checkpoint["step"])
    write_document(url, {**checkpoint, "resume": {"state_version": STATE_VERSION, **resume}})
    steps = state_steps(folder)
    kept = [step for step in steps if step <= checkpoint["step"]][-keep:]
    for step in steps:
        if step not in kept:
            delete(state_url(folder, step))
    return url


def newest_state(folder: str) -> tuple[dict[str, Any] | None, str]:
    """The newest state that is not damaged.

    Returns:
        It, or None where no state was saved; and which ones it passed over, in one line, or "".

    Raises:
        CheckpointError: All are damaged, or the newest whole one is of another format.
    """
    damaged: list[DamagedError] = []
    for step in reversed(state_steps(folder)):
        try:
            state = read_state(state_url(folder, step))
        except DamagedError as error:
            damaged.append(error)
        else:
            said = "; ".join(map(str, damaged))
            return state, said and f"{said}; going on from the state before, of step {step}"
    if damaged:
        raise CheckpointError(
            f"{damaged[0]}; no state before it is whole: delete {join(folder, STATES)} to begin "
            "again, or choose another --run-id"
        )
    return None, ""


def read_state(url: str) -> dict[str, Any]:
    """Read a state, whole.

    Raises:
        DamagedError: It is damaged.
        CheckpointError: It is absent, or of another format: the message says what to do.
    """
    document = read_document(url)
    resume = document.get("resume") or {}
    for name, found, ours in (
        ("state_version", resume.get("state_version"), STATE_VERSION),
        ("format_version", document.get("format_version"), FORMAT_VERSION),
        ("contract_version", document.get("contract_version"), CONTRACT_VERSION),
    ):
        if found != ours:
            raise CheckpointError(
                f"{url}: {name} is {found!r}, this version resumes {ours}; go on with the version "
                "that wrote it, or choose another --run-id to begin again"
            )
    return document
