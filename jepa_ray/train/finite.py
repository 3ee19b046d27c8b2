"""What is said where a batch, a loss or a weight is not finite.

A batch follows from its step, so the guilty one is made again to see whether its windows were at
fault.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed

from jepa_ray.errors import TrainingError
from jepa_ray.train.data import Batch, Worker
from jepa_ray.train.losses import NotFiniteError

Uids = NDArray[np.uint64]
_SHOWN = 32


class _Account(NamedTuple):
    """What a rank finds in its own batch: damaged windows, or else all of them."""

    rank: int
    damaged: bool
    uids: Uids


def explained(
    error: NotFiniteError, make: Callable[[int], Batch], worker: Worker, before: str
) -> TrainingError:
    """Why a step was not finite; a collective where the error is raised on all ranks.

    Args:
        error: Names the step.
        make: Makes the batch of the step again.
        worker: This rank.
        before: The sentence about the last good state.

    Returns:
        An error with the step, the uids of the damaged windows and their rank (where none is: those
        of all windows of the rank's batch), the state from before, and what to try.
    """
    found = _account(make(error.step), worker)
    if error.everywhere and worker.world > 1:
        accounts: list[Any] = [None] * worker.world
        distributed.all_gather_object(accounts, found)
        found = next((each for each in accounts if each.damaged), accounts[0])
    if found.damaged:
        what = (
            f"{len(found.uids)} window(s) of the batch of rank {found.rank} hold a NaN or infinity"
        )
        way_out = "prepare their dataset again (`jepa-ray inspect --uid` shows one)"
    else:
        what = (
            f"the loss is not finite on rank {found.rank}; its batch is finite, so the weights had "
            "grown too large"
        )
        way_out = "lower lr, or set clip_norm or a warm-up"
    return TrainingError(f"step {error.step + 1}: {what}; {before}; {way_out}{named(found.uids)}")


def _account(batch: Batch, worker: Worker) -> _Account:
    bad = torch.isfinite(batch.x).flatten(1).all(dim=1).logical_not().cpu().numpy()
    return _Account(worker.rank, bool(bad.any()), batch.uids[bad] if bad.any() else batch.uids)


def named(uids: Uids) -> str:
    """The end of a message: the uids of windows, if there are any."""
    if not len(uids):
        return ""
    shown = " ".join(f"0x{uid:016x}" for uid in uids[:_SHOWN].tolist())
    more = f" and {len(uids) - _SHOWN} more" if len(uids) > _SHOWN else ""
    return f"; windows: {shown}{more}"


def require_finite_weights(
    values: Mapping[Any, Any], step: int, uids: Uids, before: Callable[[], str]
) -> None:
    """Refuse weights, or moments of the optimiser, that are not finite.

    Args:
        values: Tensors by name, in mappings of any depth.
        step: After which they are.
        uids: Of that step's windows on this rank.
        before: Says which state is the last good one.

    Raises:
        TrainingError: One is not; the message names the first.
    """
    for name, value in _tensors(values):
        if not torch.isfinite(value).all():
            kind = "moment" if name.startswith("optimizer.") else "weight"
            raise TrainingError(
                f"step {step}: the {kind} {name} is not finite; {before()}; lower lr, or set "
                f"clip_norm or a warm-up{named(uids)}"
            )


def _tensors(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in values.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, Mapping):
            yield from _tensors(value, f"{prefix}{name}.")
