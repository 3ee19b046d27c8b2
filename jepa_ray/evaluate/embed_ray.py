"""Pieces on Ray Data: one actor a CPU or a GPU, which loads the model once and writes files.

The pieces are blocks of one row that say what to read; windows and embeddings never travel through
Ray, only a small report a piece does. So memory is that of one piece a worker, and Ray Data hands
a worker its next piece when it is free. A worker or node that is lost is replaced, and its piece
done again: it becomes the same file.
"""

import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import ray
import ray.data
import torch
from ray.data import ActorPoolStrategy, DataContext
from ray.exceptions import RayError
from ray.util.metrics import Counter

from jepa_ray.errors import ConfigError, JepaRayError, StageError
from jepa_ray.evaluate.embed_input import Piece
from jepa_ray.evaluate.embed_piece import Done, Work, write_piece
from jepa_ray.model import ScheduleJEPA

Order = tuple[Piece, str]
"""A piece, and the URL of its file."""


@dataclass(frozen=True)
class Pool:
    """How many workers, and what each takes."""

    workers: int
    threads: int
    gpus: int


def cluster_device(device: str) -> Literal["cpu", "cuda"]:
    """`cuda` or `cpu`: where the workers of this cluster compute.

    Raises:
        ConfigError: CUDA is asked for, and no node has a GPU.
    """
    gpus = ray.cluster_resources().get("GPU", 0)
    if device == "cuda" and gpus < 1:
        raise ConfigError("device=cuda, but the cluster has no GPU; set device=auto or cpu")
    return "cuda" if device != "cpu" and gpus >= 1 else "cpu"


def pool(device: str, *, workers: int | None, threads: int, pieces: int) -> Pool:
    """As many workers as the cluster has room for, as are wanted, and as there are pieces.

    Raises:
        ConfigError: No worker of so many threads fits.
    """
    resources = ray.cluster_resources()
    cpus = int(resources.get("CPU", 0)) // threads
    room = min(cpus, int(resources.get("GPU", 0))) if device == "cuda" else cpus
    if room < 1:
        raise ConfigError(
            f"a worker of {threads} thread(s) does not fit into the cluster's "
            f"{resources.get('CPU', 0):g} CPUs; set fewer threads"
        )
    return Pool(min(room, workers or room, pieces), threads, int(device == "cuda"))


class Embed:
    """A worker: takes orders, writes files, returns reports. Its name is shown in the dashboard."""

    def __init__(self, model: Any, work: Work, threads: int) -> None:
        torch.set_num_threads(threads)
        self._model: ScheduleJEPA = ray.get(model["ref"]).to(work.device).eval()
        self._work = work

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Work off the orders of a block."""
        orders = [pickle.loads(data) for data in batch["order"].to_pylist()]  # noqa: S301 - ours
        done = [pickle.dumps(self._written(order)) for order in orders]
        return pa.table({"done": pa.array(done, pa.large_binary())})

    def _written(self, order: Order) -> Done | JepaRayError:
        """Our own errors are values: raised, Ray Data would send only their traceback."""
        piece, url = order
        try:
            return write_piece(self._model, piece, url, self._work)
        except JepaRayError as error:
            return error


def on_ray(model: ScheduleJEPA, orders: list[Order], work: Work, workers: Pool) -> Iterator[Done]:
    """Work off all orders; yields reports as pieces finish, in any order. Needs a Ray session.

    Raises:
        JepaRayError: Of a worker, as it was raised there.
        StageError: Workers were lost for good.
    """
    windows = counter()
    blocks = [_block(order) for order in orders]
    try:
        with DataContext.current(_quiet_context()):
            # In a dict: Ray Data would take the place of a bare reference by its value.
            held = {"ref": ray.put(model)}
            reports = ray.data.from_arrow(blocks).map_batches(
                Embed,
                fn_constructor_args=(held, work, workers.threads),
                batch_size=None,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(size=workers.workers),
                num_cpus=workers.threads,
                num_gpus=workers.gpus or None,
            )
            reports.set_name("embed")
            for batch in reports.iter_batches(batch_size=None, batch_format="pyarrow"):
                for data in batch["done"].to_pylist():
                    done = pickle.loads(data)  # noqa: S301 - ours
                    if isinstance(done, JepaRayError):
                        raise done
                    windows.inc(done.rows)
                    yield done
    except RayError as error:
        last = str(error).strip().rpartition("\n")[2]
        raise StageError(
            f"a worker failed: {type(error).__name__}: {last}; run it again to go on from the "
            "finished files"
        ) from None


def counter() -> Counter:
    """Of windows, for the Ray dashboard and Prometheus (docs/monitoring.md)."""
    return Counter("jepa_ray_embedded_windows", description="Windows that were embedded.")


def _block(order: Order) -> pa.Table:
    return pa.table({"order": pa.array([pickle.dumps(order)], pa.large_binary())})


def _quiet_context() -> DataContext:
    """Failures reach us as exceptions; Ray Data need not log them too."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    return context
