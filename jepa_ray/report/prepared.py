"""One window and the statistics of a prepared dataset, read from its folder."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jepa_ray.errors import CorpusError
from jepa_ray.storage import (
    client_failures,
    exists,
    join,
    read_json,
    resolve,
)
from jepa_ray.windows import read_manifest, sparse_windows


@dataclass(frozen=True, eq=False)
class PreparedWindow:
    """A window with what is known of it.

    Attributes:
        fields: The columns of its row but for the runs, plain values.
        dense: float32 (96, 16).
    """

    fields: dict[str, Any]
    dense: NDArray[np.float32]


def read_stats(folder: str) -> dict[str, Any]:
    """stats.json of a prepared dataset.

    Raises:
        CorpusError: There is none.
    """
    _manifest(folder)
    return _stats(folder)


def read_window(folder: str, uid: int | None = None) -> PreparedWindow:
    """One window of a prepared dataset.

    Args:
        folder: Path or URL of `<processed-dir>/<dataset>`.
        uid: Its `window_uid`; None: the first window.

    Raises:
        CorpusError: There is no such window, or no prepared dataset.
    """
    fs, path = resolve(folder)
    for part in _manifest(folder)["parts"]:
        file = f"{path}/windows/{part['name']}"
        try:
            with client_failures(f"reading {file}"):
                uids = pq.read_table(file, columns=["window_uid"], filesystem=fs, partitioning=None)
                row = 0 if uid is None else _find(uids["window_uid"], uid)
                if row < 0:
                    continue
                table = pq.read_table(file, filesystem=fs, partitioning=None).slice(row, 1)
        except (OSError, pa.ArrowException) as error:  # pyarrow says OSError of damaged pages
            raise CorpusError(
                f"{file} is missing or damaged ({type(error).__name__}); prepare the dataset again"
            ) from None
        fields = table.drop_columns(["runs"]).to_pylist()[0]
        return PreparedWindow(fields, sparse_windows(table["runs"]).densify()[0])
    if uid is None:
        raise CorpusError(f"{folder} holds no windows")
    raise CorpusError(f"{folder} has no window_uid {uid}; leave it out to see the first window")


def _find(uids: pa.ChunkedArray, uid: int) -> int:
    found: int = pc.index(uids, pa.scalar(uid, pa.uint64())).as_py()
    return found


def _manifest(folder: str) -> dict[str, Any]:
    try:
        manifest = read_manifest(folder)
    except (FileNotFoundError, NotADirectoryError):
        begun = exists(join(folder, "windows"))
        raise CorpusError(
            f"{folder} is begun, not finished: run `jepa-ray prepare` again, it goes on from there"
            if begun
            else f"{folder} is not a prepared dataset: give <processed-dir>/<dataset>"
        ) from None
    except ValueError as error:
        raise CorpusError(f"{folder}/manifest.json {error}; prepare the dataset again") from None
    if manifest["status"] != "completed" or not manifest["parts"]:
        raise CorpusError(f"{folder} holds no windows: {manifest['status']}, {manifest['reason']}")
    return manifest


def _stats(folder: str) -> dict[str, Any]:
    try:
        document = read_json(join(folder, "stats.json"))
    except (FileNotFoundError, ValueError):
        document = None
    if not isinstance(document, dict):
        raise CorpusError(f"{folder}/stats.json is missing or damaged; prepare the dataset again")
    return document
