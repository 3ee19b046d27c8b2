"""Run a function in two processes of a gloo group, and bring its results back."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import distributed as dist
from torch import multiprocessing

WORLD = 2


def in_two_processes(work: Callable[[int], Any]) -> list[Any]:
    """Results by rank; `work` is a function of the rank, at the top level of a module."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(_run, (work, folder), nprocs=WORLD)
        return [torch.load(Path(folder) / f"{rank}.pt") for rank in range(WORLD)]


def _run(rank: int, work: Callable[[int], Any], folder: str) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", WORLD)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=WORLD)
    try:
        torch.save(work(rank), Path(folder) / f"{rank}.pt")
    finally:
        dist.destroy_process_group()
