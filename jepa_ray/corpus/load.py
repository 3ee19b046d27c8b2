"""Prepared windows of some datasets in memory, with their sides.

For those who want all of them at once; training and validation go through `open_feed` and
`open_held_out`, which hold less.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.parts import parts_of, whole
from jepa_ray.corpus.split import SplitKeys, validation_mask
from jepa_ray.corpus.stored import KEYS, split_keys, usable_manifest
from jepa_ray.storage import join
from jepa_ray.windows import (
    Manifest,
    SparseWindows,
    concat,
    sparse_windows,
)


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


def fingerprints(processed_dir: str, names: Sequence[str]) -> dict[str, str]:
    """Fingerprints of datasets by name, as `Corpus.fingerprints`, without reading a window.

    Raises:
        CorpusError: A dataset is absent, incomplete or of another contract.
    """
    return {name: usable_manifest(join(processed_dir, name), name)["fingerprint"] for name in names}


def cuts(processed_dir: str, names: Sequence[str]) -> dict[str, str]:
    """How each dataset is cut into files, as a hash: what the order of `streaming` depends on.

    Raises:
        CorpusError: As `fingerprints`.
    """
    found = {}
    for name in names:
        parts = usable_manifest(join(processed_dir, name), name)["parts"]
        listed = "".join(f"{part['name']} {part['rows']} {part['bytes']}\n" for part in parts)
        found[name] = hashlib.blake2b(listed.encode(), digest_size=16).hexdigest()
    return found


def load(processed_dir: str, names: Sequence[str], split: SplitConfig) -> Corpus:
    """Read datasets and split them.

    Raises:
        CorpusError: A dataset is absent, incomplete, of another contract, or cannot be split.
    """
    return Corpus(tuple(_dataset(processed_dir, name, split) for name in names))


def _dataset(processed_dir: str, name: str, split: SplitConfig) -> Dataset:
    folder = join(processed_dir, name)
    manifest = usable_manifest(folder, name)
    table = whole(parts_of(folder, manifest), [*KEYS, "runs"])
    keys = split_keys(table)
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
    return split_keys(whole(parts_of(folder, manifest), KEYS))


def _in_order(uid: NDArray[np.uint64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows in the order of their uids: how the files were cut does not reach the feed."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(uid[rows], kind="stable")]
