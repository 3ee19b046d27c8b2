"""Where a training runs: decided once, from what the cluster has, and said in one line."""

from dataclasses import dataclass
from typing import Literal

from jepa_ray.errors import ConfigError


@dataclass(frozen=True)
class Placement:
    """Device, backend and CPU threads of every worker.

    Attributes:
        device: `cuda` or `cpu`.
        backend: Of torch.distributed: `nccl` or `gloo`.
        workers: DDP workers.
        threads: torch threads of a worker, and the CPUs it asks Ray for.
    """

    device: Literal["cuda", "cpu"]
    backend: Literal["nccl", "gloo"]
    workers: int
    threads: int

    def __str__(self) -> str:
        threads = "" if self.device == "cuda" else f", {self.threads} thread(s) each"
        return f"{self.workers} worker(s) on {self.device}, backend {self.backend}{threads}"


def place(
    wanted: Literal["auto", "cpu", "cuda"],
    *,
    workers: int,
    threads: int | None,
    cpus: float,
    gpus: float,
) -> Placement:
    """Choose where to run.

    Args:
        wanted: `auto` takes CUDA when the cluster has a GPU for every worker.
        workers: DDP workers.
        threads: torch threads of a CPU worker; None: one, which is also the reproducible choice.
        cpus: CPUs of the cluster.
        gpus: GPUs of the cluster.

    Raises:
        ConfigError: The cluster has not enough GPUs for `cuda`, or not enough CPUs for the workers.
    """
    if wanted == "cuda" and gpus < workers:
        raise ConfigError(
            f"device=cuda with {workers} worker(s) needs {workers} GPU(s), the cluster has "
            f"{gpus:g}; set device=cpu or auto, or fewer workers"
        )
    on_gpu = wanted != "cpu" and gpus >= workers
    count = threads or 1
    if cpus < workers * count:
        raise ConfigError(
            f"{workers} worker(s) of {count} CPU(s) do not fit into the cluster's {cpus:g} CPUs; "
            "set fewer workers or threads"
        )
    return (
        Placement("cuda", "nccl", workers, count)
        if on_gpu
        else Placement("cpu", "gloo", workers, count)
    )
