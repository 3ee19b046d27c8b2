"""One window and the statistics of a prepared dataset, read from its folder."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from numpy.typing import NDArray

from jepa_ray.errors import CorpusError
from jepa_ray.storage import join, read_json
from jepa_ray.windows import sparse_windows


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
    manifest = _json(folder, "manifest.json")
    if manifest.get("status") != "completed" or not manifest.get("windows"):
        raise CorpusError(
            f"{folder} holds no windows: {manifest.get('status')}, {manifest.get('reason')}"
        )
    return _json(folder, "stats.json")


def read_window(folder: str, uid: int | None = None) -> PreparedWindow:
    """One window of a prepared dataset.

    Args:
        folder: Path or URL of `<processed-dir>/<dataset>`.
        uid: Its `window_uid`; None: the first window.

    Raises:
        CorpusError: There is no such window, or no prepared dataset.
    """
    fs, path = url_to_fs(folder)
    for part in _json(folder, "manifest.json")["parts"]:
        file = f"{path}/windows/{part['name']}"
        try:
            uids = pq.read_table(file, columns=["window_uid"], filesystem=fs, partitioning=None)
            row = 0 if uid is None else _find(uids["window_uid"], uid)
            if row < 0:
                continue
            table = pq.read_table(file, filesystem=fs, partitioning=None).slice(row, 1)
        except (FileNotFoundError, pa.ArrowException) as error:
            raise CorpusError(f"{file} is missing or damaged ({type(error).__name__})") from None
        fields = table.drop_columns(["runs"]).to_pylist()[0]
        return PreparedWindow(fields, sparse_windows(table["runs"]).densify()[0])
    wanted = "a first window" if uid is None else f"window_uid {uid}"
    raise CorpusError(f"{folder} has no {wanted}")


def _find(uids: pa.ChunkedArray, uid: int) -> int:
    found: int = pc.index(uids, pa.scalar(uid, pa.uint64())).as_py()
    return found


def _json(folder: str, name: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = read_json(join(folder, name))
    except (FileNotFoundError, NotADirectoryError):
        raise CorpusError(
            f"{folder} is not a prepared dataset: {name} is missing; give <processed-dir>/<dataset>"
        ) from None
    except ValueError:
        raise CorpusError(f"{join(folder, name)} is not JSON; prepare the dataset again") from None
    return document
