"""One prepared dataset on disk, and the side of each of its windows."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.parts import Part, PartReader, RowGroup, parts_of
from jepa_ray.corpus.rows import Rows
from jepa_ray.corpus.split import SplitKeys, SplitRule, split_rule
from jepa_ray.errors import CorpusError
from jepa_ray.storage import join
from jepa_ray.windows import NO_TIME, Manifest, read_manifest, sparse_windows

KEYS = ["window_uid", "window_start", "actor", "project"]
_KEYS_OF_MODE = {
    "random_resplit": ["window_uid"],
    "grouped": ["window_uid", "actor", "project"],
    "temporal": ["window_uid", "window_start"],
}
Side = Literal["train", "val"]


@dataclass(frozen=True, eq=False)
class SplitDataset:
    """A dataset whose windows stay on disk, with all that is needed to read one side of it.

    Attributes:
        name: Of the dataset.
        rule: Of its split.
        columns: That the rule looks at.
        groups: All row groups, in the order of the manifest.
        sizes: int64 (groups, 2): training and held-out windows of each.
    """

    name: str
    rule: SplitRule
    columns: list[str]
    groups: list[RowGroup]
    sizes: NDArray[np.int64]

    def rows(
        self, side: Side, reader: PartReader, chosen: NDArray[np.integer] | None = None
    ) -> Iterator[Rows]:
        """The windows of one side, in batches.

        Args:
            side: Which.
            reader: Of this thread.
            chosen: Places of the wanted row groups in `groups`, ascending; None: all of them.

        Raises:
            CorpusError: A part is missing, damaged or another than when the dataset was split.
        """
        for table, uids, at in self._read(side, reader, [*self.columns, "runs"], chosen):
            yield Rows(sparse_windows(table["runs"]).take(at), uids)

    def uids(self, side: Side, reader: PartReader) -> Iterator[NDArray[np.uint64]]:
        """The uids of one side, in batches; raises as `rows`."""
        for _, uids, _ in self._read(side, reader, self.columns, None):
            yield uids

    def _read(
        self,
        side: Side,
        reader: PartReader,
        columns: list[str],
        chosen: NDArray[np.integer] | None,
    ) -> Iterator[tuple[pa.Table, NDArray[np.uint64], NDArray[np.int64]]]:
        """Tables, and in each the uids and places of the rows of one side."""
        places = np.arange(len(self.groups)) if chosen is None else chosen
        wanted: dict[Part, list[int]] = {}
        for place in places:
            wanted.setdefault(self.groups[place].part, []).append(self.groups[place].ordinal)
        by_group = itertools.groupby(reader.read(wanted, columns), key=itemgetter(0))
        for place, (group, batches) in zip(places, by_group, strict=True):
            left = int(self.sizes[place, int(side == "val")])
            for _, table in batches:
                keys = split_keys(table)
                held_out = self.rule.held_out(keys)
                at = np.flatnonzero(held_out if side == "val" else ~held_out)
                left -= len(at)
                _require_same(group, changed=left < 0)
                yield table, keys.uid[at], at
            _require_same(group, changed=left != 0)


def _require_same(group: RowGroup, *, changed: bool) -> None:
    if changed:
        raise CorpusError(
            f"{group.part.url} changed while it was in use; prepare nothing into a folder that a "
            "training reads, and start again"
        )


def split_stored(folder: str, manifest: Manifest, split: SplitConfig) -> SplitDataset:
    """Split a dataset in passes over its keys; memory is that of one batch.

    Raises:
        CorpusError: A part is missing or damaged, or the dataset cannot be split in this mode.
    """
    name, reader, columns = manifest["dataset"], PartReader(), _KEYS_OF_MODE[split.mode]
    parts = parts_of(folder, manifest)

    def passes() -> Iterator[SplitKeys]:
        return (split_keys(table) for _, table in reader.scan(parts, columns))

    rule = split_rule(name, passes, split)
    held_out: Counter[RowGroup] = Counter()  # in the order of the files
    for group, table in reader.scan(parts, columns):
        held_out[group] += int(rule.held_out(split_keys(table)).sum())
    sizes = [(group.rows - n, n) for group, n in held_out.items()]
    return SplitDataset(
        name, rule, columns, list(held_out), np.array(sizes, np.int64).reshape(-1, 2)
    )


def split_all(processed_dir: str, names: Sequence[str], split: SplitConfig) -> list[SplitDataset]:
    """The same for some datasets of a processed folder."""
    folders = [join(processed_dir, name) for name in names]
    return [
        split_stored(folder, usable_manifest(folder, name), split)
        for folder, name in zip(folders, names, strict=True)
    ]


def split_keys(table: pa.Table) -> SplitKeys:
    """What the split looks at; a column that was not read is 0 or `NO_TIME` in all rows."""
    actor, project = (_numbers(table, name, 0, np.uint64) for name in ("actor", "project"))
    return SplitKeys(
        uid=_numbers(table, "window_uid", 0, np.uint64),
        group=np.where(actor == 0, project, actor),
        start_us=_numbers(table, "window_start", NO_TIME, np.int64),
    )


def _numbers(table: pa.Table, name: str, missing: int, dtype: type) -> NDArray[Any]:
    if name not in table.column_names:
        return np.broadcast_to(np.array(missing, dtype), len(table))
    column = table[name]
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.int64())
    values: NDArray[Any] = pc.fill_null(column, missing).to_numpy()
    return values.astype(dtype, copy=False)


def usable_manifest(folder: str, name: str) -> Manifest:
    """The manifest of a dataset that is completed; else CorpusError with the way out."""
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
