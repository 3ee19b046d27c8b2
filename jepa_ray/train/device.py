"""Where a training runs: decided once, from what the cluster has, and said in one line."""

from dataclasses import dataclass
from typing import Literal

from jepa_ray.config import TrainConfig
from jepa_ray.errors import ConfigError
from jepa_ray.model.precision import Precision

Device = Literal["cuda", "cpu"]


@dataclass(frozen=True)
class Placement:
    """Device, backend and CPU threads of every worker.

    Attributes:
        device: `cuda` or `cpu`.
        backend: Of torch.distributed: `nccl` or `gloo`.
        workers: DDP workers; the most of them where their number may change.
        threads: torch threads of a worker, and the CPUs it asks Ray for.
        fewest: Workers with which training goes on when others are lost.
        precision: `fp32`, `bf16`, or `auto`: bf16 where the GPU has it.
    """

    device: Device
    backend: Literal["nccl", "gloo"]
    workers: int
    threads: int
    fewest: int
    precision: Precision = "fp32"

    def __str__(self) -> str:
        threads = "" if self.device == "cuda" else f", {self.threads} thread(s) each"
        count = (
            str(self.workers) if self.workers == self.fewest else f"{self.fewest}-{self.workers}"
        )
        precision = "bf16 if the GPU has it" if self.precision == "auto" else self.precision
        return f"{count} worker(s) on {self.device}, backend {self.backend}{threads}, {precision}"


def place(
    config: TrainConfig,
    *,
    cpus: float,
    gpus: float,
    device: Device | None = None,
    precision: Precision | None = None,
) -> Placement:
    """Choose where to run.

    Args:
        config: `device: auto` takes CUDA when the cluster has a GPU for every worker;
            `threads: None` is one, which is also the reproducible choice.
        cpus: CPUs of the cluster.
        gpus: GPUs of the cluster.
        device: Of the trainings of the same run before; None: there is none.
        precision: Of the same.

    Raises:
        ConfigError: The cluster has not enough GPUs for `cuda`, or not enough CPUs for the
            workers, or a number of workers that may come up does not divide the batch.
    """
    fewest = _fewest(config)
    require_divisors(config)
    wanted, asked = device or config.device, precision or config.precision
    if wanted == "cuda" and gpus < fewest:
        said = "set device=cpu or auto, or fewer workers"
        if device:
            said = "the trainings of this run before had them: bring them back, or begin another"
        raise ConfigError(
            f"device=cuda with {fewest} worker(s) needs {fewest} GPU(s), the cluster has "
            f"{gpus:g}; {said}"
        )
    on_gpu = wanted != "cpu" and gpus >= fewest
    count = config.threads or 1
    if cpus < fewest * count:
        raise ConfigError(
            f"{fewest} worker(s) of {count} CPU(s) do not fit into the cluster's {cpus:g} CPUs; "
            "set fewer workers or threads"
        )
    on_cpu: Precision = "fp32" if asked == "auto" and not on_gpu else asked
    return Placement(
        "cuda" if on_gpu else "cpu",
        "nccl" if on_gpu else "gloo",
        config.workers,
        count,
        fewest,
        on_cpu,
    )


def require_divisors(config: TrainConfig) -> None:
    """See that every number of workers that Ray may settle on divides the global batch.

    Raises:
        ConfigError: One does not; the message has those that do.
    """
    batch, fewest = config.batch_size, _fewest(config)
    wrong = [n for n in range(fewest, config.workers + 1) if batch % n]
    if wrong:
        right = [n for n in range(1, config.workers + 1) if not batch % n]
        raise ConfigError(
            f"between min_workers={fewest} and workers={config.workers} training may go on with "
            f"{wrong[0]} workers, which does not divide batch_size {batch}; numbers that do: "
            f"{', '.join(map(str, right))}"
        )


def _fewest(config: TrainConfig) -> int:
    return config.workers if config.min_workers is None else config.min_workers
