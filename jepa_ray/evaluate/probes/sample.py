"""A bounded sample of prepared windows, with all that tasks look at. No label is in it yet."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig, SplitConfig
from jepa_ray.corpus import choose, prepared
from jepa_ray.corpus.parts import PartReader, parts_of
from jepa_ray.corpus.split import SplitError, SplitKeys
from jepa_ray.corpus.stored import KEYS, SplitDataset, split_all, split_keys, usable_manifest
from jepa_ray.evaluate.probes.problem import Index, Skip
from jepa_ray.storage import join
from jepa_ray.windows import ACTOR_DAY, INDEX, NO_TIME, SLOTS, SparseWindows, mix64, sparse_windows

_COLUMNS = [*KEYS, "window_kind", "metadata", "runs"]
_CHUNK = 4096
_DAY_US = 86_400_000_000
_ACTIVITY = slice(INDEX["calendar_event"], INDEX["code_activity"] + 1)
_COARSE = 100
"""Values that are equal to 1/100 make near-identical windows."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """n windows of some datasets; arrays of length n.

    Attributes:
        names: Of the datasets.
        left_out: Why further datasets are not here: the checkpoint's split cannot part them.
        dataset: int64, place of a window's dataset in `names`.
        windows: The windows.
        uid: uint64.
        start_us: int64, local start in microseconds, `NO_TIME` where there is none.
        cluster: int64, the actor, else the project, else the window itself, of `clusters`.
        clusters: How many there are.
        actor_day: bool, whether the window is an actor's day.
        held_out: bool, by the split of the checkpoint.
        active: bool (n, 96), slots with any activity.
        holiday: bool, whether the feature `holiday` is on in any slot.
        twin: uint64, equal for near-identical windows: same slots, values equal to 1/100.
        metadata: JSON or None.
        grouped: Whether the split leaves no actor on both sides.
        temporal: Whether it holds out what is latest.
    """

    names: list[str]
    left_out: tuple[str, ...]
    dataset: Index
    windows: SparseWindows
    uid: NDArray[np.uint64]
    start_us: Index
    cluster: Index
    clusters: int
    actor_day: Flags
    held_out: Flags
    active: Flags
    holiday: Flags
    twin: NDArray[np.uint64]
    metadata: list[str | None]
    grouped: bool
    temporal: bool

    @property
    def day(self) -> Index:
        """int64, local day of a window's start since 1970-01-01, `NO_TIME` where it has none."""
        return np.where(self.start_us == NO_TIME, NO_TIME, self.start_us // _DAY_US)


def choose_names(processed_dir: str, trained_on: list[str]) -> list[str]:
    """The datasets that a checkpoint is probed on: those it was trained on that are there.

    Where none of them is: all that are prepared there.

    Raises:
        CorpusError: Nothing is prepared there.
    """
    there = prepared(processed_dir)
    names = [name for name in trained_on if name in there]
    return sorted(names) or sorted(there) or choose(processed_dir, "combined")


def read_sample(
    processed_dir: str, names: list[str], split: SplitConfig, config: ProbeConfig
) -> Sample:
    """Draw windows of each dataset by a hash of their uids; memory is that of the sample.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets.
        split: Of the checkpoint.
        config: How many windows of a dataset, and the seed.

    Raises:
        CorpusError: A dataset is absent or damaged.
        Skip: None of them can be split.
    """
    tables, keys, held_out, dataset = [], [], [], []
    parted, left_out = _split(processed_dir, names, split)
    for place, found in enumerate(parted):
        folder = join(processed_dir, found.name)
        manifest = usable_manifest(folder, found.name)
        limit = _limit(config.pool, manifest["windows"])
        for _, table in PartReader().scan(parts_of(folder, manifest), _COLUMNS):
            mine = split_keys(table)
            rows = np.flatnonzero(_hashes(mine.uid, config.seed) <= limit)
            if len(rows):
                kept = SplitKeys(mine.uid[rows], mine.group[rows], mine.start_us[rows])
                tables.append(table.take(rows))
                keys.append(kept)
                held_out.append(found.rule.held_out(mine)[rows])
                dataset.append(np.full(len(rows), place))
    table = pa.concat_tables(tables)
    uid = np.concatenate([k.uid for k in keys])
    group = np.concatenate([k.group for k in keys])
    windows = sparse_windows(table["runs"])
    universe, cluster = np.unique(np.where(group == 0, uid, group), return_inverse=True)
    active, holiday = _seen(windows)
    return Sample(
        names=[found.name for found in parted],
        left_out=left_out,
        dataset=np.concatenate(dataset).astype(np.int64),
        windows=windows,
        uid=uid,
        start_us=np.concatenate([k.start_us for k in keys]),
        cluster=cluster.astype(np.int64),
        clusters=len(universe),
        actor_day=np.asarray(table["window_kind"].to_pylist()) == ACTOR_DAY,
        held_out=np.concatenate(held_out),
        active=active,
        holiday=holiday,
        twin=coarse(windows).fingerprints(),
        metadata=table["metadata"].to_pylist(),
        grouped=split.mode == "grouped",
        temporal=split.mode == "temporal",
    )


def _split(
    processed_dir: str, names: list[str], split: SplitConfig
) -> tuple[list[SplitDataset], tuple[str, ...]]:
    """The datasets that the split can part, and why it cannot part the others."""
    found, reasons = [], []
    for name in names:
        try:
            found += split_all(processed_dir, [name], split)
        except SplitError as error:
            reasons.append(str(error).partition(";")[0])  # what follows is advice for a training
    if not found:
        raise Skip(". ".join(reasons))
    return found, tuple(reasons)


def order_of(sample: Sample, rows: Index, seed: int) -> Index:
    """Rows in an order to take the first of: datasets in turn, within each by a hash of the uid."""
    by_hash = rows[np.argsort(_hashes(sample.uid[rows], seed), kind="stable")]
    rank = np.zeros(len(by_hash), np.int64)
    for place in range(len(sample.names)):
        mine = sample.dataset[by_hash] == place
        rank[mine] = np.arange(mine.sum())
    ordered: Index = by_hash[np.argsort(rank, kind="stable")]
    return ordered


def hashed(values: NDArray[np.integer], seed: int, purpose: int) -> NDArray[np.float64]:
    """A number in [0, 1) of each value, a function of it, the seed and the purpose."""
    state = mix64(np.array([seed], np.uint64) + np.uint64(purpose << 32))
    mixed = mix64(values.astype(np.uint64) ^ mix64(state)[0])
    found: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
    return found


def _hashes(uid: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    return mix64(uid ^ mix64(np.array([seed], np.uint64) + np.uint64(0x970BE))[0])


def _limit(pool: int, windows: int) -> np.uint64:
    """Hashes up to this are about `pool` of so many."""
    return np.uint64(min(int(2**64 * min(pool / max(windows, 1), 1.0)), 2**64 - 1))


def _seen(windows: SparseWindows) -> tuple[Flags, Flags]:
    n = len(windows)
    active, holiday = np.zeros((n, SLOTS), np.bool_), np.zeros(n, np.bool_)
    for start in range(0, n, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, n))
        dense = windows.take(rows).densify()
        active[rows] = (dense[:, :, _ACTIVITY] > 0).any(axis=2)
        holiday[rows] = (dense[:, :, INDEX["holiday"]] > 0).any(axis=1)
    return active, holiday


def coarse(windows: SparseWindows) -> SparseWindows:
    """The windows with values to 1/100."""
    values: Any = np.round(windows.values * _COARSE) / np.float32(_COARSE)
    return SparseWindows(windows.offsets, windows.first, windows.last, values.astype(np.float32))
