"""Prepared windows of some datasets in memory, with their sides.

Only what training needs is read: about 70 bytes a window of one run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.split import SplitKeys, validation_mask
from jepa_ray.errors import CorpusError
from jepa_ray.storage import (
    join,
    list_names,
    resolve,
)
from jepa_ray.windows import (
    ACTOR_DAY,
    NO_TIME,
    Manifest,
    SparseWindows,
    concat,
    read_manifest,
    sparse_windows,
)

COMBINED = "combined"
_KEYS = ["window_uid", "window_start", "actor", "project"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """One prepared dataset, split.

    Attributes:
        name: Of the dataset.
        fingerprint: Of what it was prepared from.
        windows: All n windows.
        uid: uint64 (n,).
        train, val: int64, rows of either side.
    """

    name: str
    fingerprint: str
    windows: SparseWindows
    uid: NDArray[np.uint64]
    train: NDArray[np.int64]
    val: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Datasets side by side."""

    datasets: tuple[Dataset, ...]

    @property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprints of the datasets by name: the provenance of a checkpoint."""
        return {d.name: d.fingerprint for d in self.datasets}

    def side(self, side: str) -> SparseWindows:
        """All windows of one side, `train` or `val`, dataset after dataset."""
        return concat([d.windows.take(getattr(d, side)) for d in self.datasets])


def prepared(processed_dir: str) -> dict[str, int]:
    """The datasets that are completed and have windows, sorted, with how many."""
    return {name: manifest["windows"] for name, manifest in _usable(processed_dir).items()}


def fingerprints(processed_dir: str, names: Sequence[str]) -> dict[str, str]:
    """Fingerprints of datasets by name: the provenance of a checkpoint."""
    return {name: _manifest(join(processed_dir, name), name)["fingerprint"] for name in names}


def _usable(processed_dir: str) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {}
    for name in list_names(processed_dir):
        try:
            manifest = read_manifest(join(processed_dir, name))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue
        if manifest["status"] == "completed" and manifest["windows"]:
            found[name] = manifest
    return found


def choose(processed_dir: str, name: str) -> list[str]:
    """The datasets that `combined` or a comma-separated list of names stands for.

    `combined` is all of one windowing: those of `record` windowing where there are any, for an
    actor's day is made of the same records.

    Raises:
        CorpusError: Nothing is prepared there, or a name is not.
    """
    there = _usable(processed_dir)
    if not there:
        raise CorpusError(
            f"no prepared dataset with windows in {processed_dir}; run `jepa-ray prepare` first"
        )
    if name == COMBINED:
        record = [n for n, m in there.items() if m.get("windowing") != ACTOR_DAY]
        return record or list(there)
    wanted = [part.strip() for part in name.split(",") if part.strip()]
    absent = [part for part in wanted if part not in there]
    if absent or not wanted:
        raise CorpusError(
            f"dataset {', '.join(absent) or name!r} is not prepared in {processed_dir}; there: "
            f"{COMBINED}, {', '.join(there)}"
        )
    return list(dict.fromkeys(wanted))


def load(processed_dir: str, names: Sequence[str], split: SplitConfig) -> Corpus:
    """Read datasets and split them.

    Raises:
        CorpusError: A dataset is absent, incomplete, of another contract, or cannot be split.
    """
    return Corpus(tuple(_dataset(processed_dir, name, split) for name in names))


def _dataset(processed_dir: str, name: str, split: SplitConfig) -> Dataset:
    folder = join(processed_dir, name)
    manifest = _manifest(folder, name)
    table = _read_parts(folder, manifest, [*_KEYS, "runs"])
    keys = _split_keys(table)
    held_out = validation_mask(name, keys, split)
    return Dataset(
        name=name,
        fingerprint=manifest["fingerprint"],
        windows=sparse_windows(table["runs"]),
        uid=keys.uid,
        train=_in_order(keys.uid, ~held_out),
        val=_in_order(keys.uid, held_out),
    )


def read_keys(folder: str, manifest: Manifest) -> SplitKeys:
    """What the split looks at, of all windows in the order of the parts: 24 bytes a window.

    Args:
        folder: Path or URL of `<processed-dir>/<dataset>`.
        manifest: Of the dataset, with at least one part.

    Raises:
        CorpusError: A part is missing, damaged or of another length.
    """
    return _split_keys(_read_parts(folder, manifest, _KEYS))


def _split_keys(table: pa.Table) -> SplitKeys:
    actor = _numbers(table["actor"], 0, np.uint64)
    project = _numbers(table["project"], 0, np.uint64)
    return SplitKeys(
        uid=_numbers(table["window_uid"], 0, np.uint64),
        group=np.where(actor == 0, project, actor),
        start_us=_numbers(pc.cast(table["window_start"], pa.int64()), NO_TIME, np.int64),
    )


def _in_order(uid: NDArray[np.uint64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows in the order of their uids: how the files were cut does not reach the feed."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(uid[rows], kind="stable")]


def _manifest(folder: str, name: str) -> Manifest:
    try:
        manifest = read_manifest(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise CorpusError(
            f"{name} is not prepared: {folder}/manifest.json is missing; "
            "run `jepa-ray prepare` first"
        ) from None
    except ValueError as error:
        raise CorpusError(f"{folder}/manifest.json {error}; prepare {name} again") from None
    if manifest["status"] != "completed":
        raise CorpusError(
            f"{folder}/manifest.json says that {name} is {manifest['status']} "
            f"({manifest['reason']}); prepare it, or leave it out"
        )
    return manifest


def _read_parts(folder: str, manifest: Manifest, columns: list[str]) -> pa.Table:
    fs, path = resolve(folder)
    tables = []
    for part in manifest["parts"]:
        file = f"{path}/windows/{part['name']}"
        try:
            tables.append(pq.read_table(file, columns=columns, filesystem=fs, partitioning=None))
        except (OSError, pa.ArrowException) as error:  # pyarrow says OSError of damaged pages
            raise CorpusError(
                f"{folder}/windows/{part['name']} is missing or damaged "
                f"({type(error).__name__}); prepare {manifest['dataset']} again"
            ) from None
        if len(tables[-1]) != part["rows"]:
            raise CorpusError(
                f"{folder}/windows/{part['name']} has {len(tables[-1])} windows, its manifest says "
                f"{part['rows']}; prepare {manifest['dataset']} again"
            )
    if not tables:
        raise CorpusError(f"{folder} holds no windows: there is nothing to train on")
    return pa.concat_tables(tables)


def _numbers(column: pa.ChunkedArray, missing: int, dtype: type) -> NDArray[Any]:
    values: NDArray[Any] = pc.fill_null(column, missing).to_numpy()
    return values.astype(dtype, copy=False)
