"""What a training leaves in its folder, written by a thread beside it.

One write at a time; a new one waits for the one before. A write that failed ends the training: the
loop asks at every step. Only rank 0 has a keeper.
"""

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import yaml

from jepa_ray.checkpoint import (
    FILE_NAME,
    SAFETENSORS_NAME,
    STATES,
    state_url,
    write_document,
    write_safetensors,
    write_state,
)
from jepa_ray.errors import JepaRayError, TrainingError
from jepa_ray.storage import join, read_bytes, remove_unfinished, write_bytes, write_json
from jepa_ray.train import events

METRICS_FILE = "metrics.jsonl"
LEGS_FILE = "legs.json"
CONFIG_FILE = "config.yaml"
PROVENANCE_FILE = "provenance.json"
BEST = "best"

Row = dict[str, Any]


class Keeper:
    """Writes the states, the best model, the metrics and the result of one training.

    Args:
        folder: Of the run: path or URL, held by this run. Left-overs of killed writes are removed.
        keep_last: States that are kept.
    """

    def __init__(self, folder: str, *, keep_last: int) -> None:
        self.folder = folder
        self._keep_last = keep_last
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jepa-ray-keeper")
        self._pending: tuple[str, Future[Any]] | None = None
        self._events = events.Events()
        for part in (folder, *(join(folder, name) for name in (STATES, BEST, events.FOLDER))):
            remove_unfinished(part)

    def save_state(self, checkpoint: dict[str, Any], resume: dict[str, Any]) -> None:
        """Save a state to resume from; the tensors must be copies."""
        self._begin(
            f"saving the state {state_url(self.folder, checkpoint['step'])}",
            lambda: write_state(self.folder, checkpoint, resume, keep=self._keep_last),
        )

    def save_best(self, checkpoint: dict[str, Any]) -> None:
        """Replace the best model."""
        url = join(self.folder, BEST, FILE_NAME)
        self._begin(f"saving the best model {url}", lambda: write_document(url, checkpoint))

    def save_rows(self, rows: list[Row]) -> None:
        """Write the metrics so far: JSON lines, and the TensorBoard events."""
        rows = list(rows)
        url = join(self.folder, METRICS_FILE)
        self._begin(f"saving the metrics {url}", lambda: self._write_rows(rows))

    def save_legs(self, rows: list[Row]) -> None:
        """Write the losses after each leg so far."""
        rows = list(rows)
        url = join(self.folder, LEGS_FILE)
        self._begin(f"saving {url}", lambda: write_json(url, {"legs": rows}))

    def finish(self, checkpoint: dict[str, Any]) -> None:
        """Write the result; `schedule_jepa.pt` comes last: it says that the run is finished."""
        self._begin(
            f"saving the result {join(self.folder, FILE_NAME)}",
            lambda: self._write_result(checkpoint),
        )
        self.settle()

    def check(self) -> None:
        """Notice a write that failed; never waits."""
        if self._pending and self._pending[1].done():
            self.settle()

    def settle(self) -> None:
        """Wait for the write under way.

        Raises:
            TrainingError: It failed.
        """
        if not self._pending:
            return
        what, future = self._pending
        self._pending = None
        try:
            future.result()
        except Exception as error:  # noqa: BLE001 - every file system has errors of its own
            said = str(error) if isinstance(error, JepaRayError) else _named(error)
            raise TrainingError(
                f"{what} failed: {said}; what was saved before is whole: mend that, then run the "
                "same command again to go on from there"
            ) from None

    def close(self) -> None:
        """End the thread; what it writes is finished first, its failure no longer asked for."""
        self._thread.shutdown()

    def _begin(self, what: str, write: Callable[[], object]) -> None:
        self.settle()
        self._pending = (what, self._thread.submit(write))

    def _write_rows(self, rows: list[Row]) -> None:
        text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        write_bytes(join(self.folder, METRICS_FILE), text.encode())
        write_bytes(join(self.folder, events.FOLDER, events.FILE_NAME), self._events.add(rows))

    def _write_result(self, checkpoint: dict[str, Any]) -> None:
        write_config(self.folder, checkpoint["config"])
        write_json(join(self.folder, PROVENANCE_FILE), checkpoint["provenance"])
        write_safetensors(join(self.folder, SAFETENSORS_NAME), checkpoint)
        write_document(join(self.folder, FILE_NAME), checkpoint)


def write_config(folder: str, config: dict[str, Any]) -> None:
    """Write `config.yaml`: all settings, as `--config` takes them."""
    text = yaml.safe_dump(config, sort_keys=False)
    write_bytes(join(folder, CONFIG_FILE), text.encode())


class Left(NamedTuple):
    """What a finished training left beside its checkpoint.

    Attributes:
        first: Row of the untrained model.
        last: Row of the trained one.
        about: provenance.json.
    """

    first: Row
    last: Row
    about: Row


def read_left(folder: str) -> Left:
    """Read what a finished training left.

    Raises:
        TrainingError: It is missing or damaged.
    """
    rows = _left(folder, METRICS_FILE, lambda text: [json.loads(row) for row in text.splitlines()])
    (about,) = _left(folder, PROVENANCE_FILE, lambda text: [json.loads(text)])
    return Left(rows[0], rows[-1], about)


def _left(folder: str, name: str, parsed: Callable[[bytes], list[Row]]) -> list[Row]:
    try:
        rows = parsed(read_bytes(join(folder, name)))
    except FileNotFoundError:
        said = "is not there"
    except ValueError:
        said = "is damaged"
    else:
        if rows and all(isinstance(row, dict) for row in rows):
            return rows
        said = "is damaged"
    raise TrainingError(
        f"{join(folder, name)} {said}, so the training there has no result: delete {folder} and "
        "run the same command again"
    )


def _named(error: Exception) -> str:
    reason = " ".join((getattr(error, "strerror", None) or str(error)).split())
    return f"{type(error).__name__}: {reason}"
