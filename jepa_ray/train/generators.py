"""The global generators of all ranks, for a state to resume from.

Nothing of ours draws from them (every number follows from the seed and the step), but a plug-in or
a layer of a later model may, and a resumed training must not differ by that.
"""

from typing import Any

import torch
from torch import distributed

from jepa_ray.train.data import Worker


def gather_generators(worker: Worker) -> list[dict[str, Any]]:
    """The generators of every rank, in order; a collective when there are several workers."""
    ours = {"cpu": torch.get_rng_state()}
    if worker.device.type == "cuda":
        ours["cuda"] = torch.cuda.get_rng_state(worker.device)
    if worker.world == 1:
        return [ours]
    found: list[Any] = [None] * worker.world
    distributed.all_gather_object(found, ours)
    return found


def restore_generators(states: list[dict[str, Any]], worker: Worker) -> None:
    """Put this rank's generators back; one that was not there before keeps its own."""
    if worker.rank >= len(states):
        return
    ours = states[worker.rank]
    torch.set_rng_state(ours["cpu"])
    if worker.device.type == "cuda" and "cuda" in ours:
        torch.cuda.set_rng_state(ours["cuda"], worker.device)
