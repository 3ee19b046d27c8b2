"""Settings of `embed`."""

from typing import Literal

from pydantic import Field

from jepa_ray.config.base import Config


class EmbedConfig(Config):
    """checkpoint and windows -> embeddings."""

    batch_size: int = Field(512, ge=1, le=1 << 16, description="Dense windows at a time.")
    file_windows: int | None = Field(
        None,
        ge=1,
        le=1 << 20,
        description="Windows of one file, which a worker holds in memory; None: 16,384, with the "
        "embeddings of slots 4,096.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where present.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "fp32", description="bf16: autocast, results in fp32; auto: bf16 on a GPU that has it."
    )
    threads: int = Field(1, ge=1, description="torch threads of a worker, and the CPUs it takes.")
    workers: int | None = Field(
        None, ge=1, description="Workers on Ray; None: as many as CPUs or GPUs allow."
    )
    num_cpus: int | None = Field(
        None, ge=1, description="CPUs of the local Ray; None: all of them. Unused on a cluster."
    )
    ray_from: int | None = Field(
        None,
        ge=0,
        description="Windows from which Ray is started; fewer are embedded in this process. "
        "None: 20,000, and 1,000,000 where this process has a GPU.",
    )
