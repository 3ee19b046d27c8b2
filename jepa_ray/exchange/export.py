"""Prepared windows -> `<output>/<dataset>/train.jsonl.gz` and `val.jsonl.gz`. No Ray.

Part by part, a few thousand windows at a time; of a whole dataset only the keys of the split are in
memory at once.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jepa_ray import __version__
from jepa_ray.config import SplitConfig
from jepa_ray.corpus import read_keys, validation_mask
from jepa_ray.errors import CorpusError, UsageError
from jepa_ray.exchange.encode import RecordWriter
from jepa_ray.exchange.places import same_place
from jepa_ray.exchange.sides import ACCOUNT, SIDES, UNFINISHED, SideWriter, side_files
from jepa_ray.prepared import nothing_there, prepared, unknown
from jepa_ray.storage import (
    atomic_writer,
    delete,
    exists,
    join,
    list_names,
    require_writable,
    resolve,
    store_faults,
    write_json,
)
from jepa_ray.windows import CONTRACT_VERSION, Manifest, read_manifest

log = logging.getLogger(__name__)
_BATCH = 2048
FORMAT = "jsonl"

Progress = Callable[[str, int], None]
"""Told (dataset, records so far) as an export goes on."""


@dataclass(frozen=True)
class ExportedDataset:
    """What became of one dataset.

    Attributes:
        status: `exported`, `empty`, or why there are no windows: `blocked`, `missing`, `failed`.
        reason: Of a status without windows.
        train, val: Records of either side.
        bytes: Of both files.
    """

    status: str
    reason: str | None = None
    train: int = 0
    val: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class ExportResult:
    """What an export left behind."""

    output: str
    split: SplitConfig
    datasets: dict[str, ExportedDataset]

    @property
    def records(self) -> int:
        """Records of all datasets and sides."""
        return sum(d.train + d.val for d in self.datasets.values())

    def document(self) -> dict[str, Any]:
        """`export --json`."""
        return {
            "output": self.output,
            "format": FORMAT,
            "split": self.split.model_dump(mode="json"),
            "records": self.records,
            "datasets": {name: asdict(d) for name, d in self.datasets.items()},
        }


def export_records(
    processed_dir: str,
    output: str,
    *,
    names: list[str] | None = None,
    split: SplitConfig,
    overwrite: bool = False,
    progress: Progress = lambda _dataset, _records: None,
) -> ExportResult:
    """Write prepared windows as JSON records, split as training splits them.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        output: Path or URL; gets a folder a dataset.
        names: Datasets; None: all that are there. One without windows is listed, not written.
        split: Which windows go to `val`.
        overwrite: Replace an export that is there.
        progress: Called as records are written.

    Raises:
        CorpusError: Nothing is prepared, a name is not, or windows are damaged or cannot be split.
        UsageError: There is an export already, or the output cannot be written to.
        StageError: A disk or store failed.
    """
    manifests = _manifests(processed_dir, names)
    full = [n for n, m in manifests.items() if m["status"] == "completed" and m["windows"]]
    _check_output(processed_dir, output, full, overwrite=overwrite)
    masks = {name: _held_out(processed_dir, name, manifests[name], split) for name in full}
    if full:
        require_writable(output)
    found: dict[str, ExportedDataset] = {}
    for name, manifest in manifests.items():
        if name not in masks:
            found[name] = _without_windows(name, manifest)
            continue
        batches = _batches(join(processed_dir, name), manifest)
        found[name] = _write(join(output, name), name, batches, masks[name], split, progress)
    return ExportResult(output, split, found)


def _held_out(
    processed_dir: str, name: str, manifest: Manifest, split: SplitConfig
) -> NDArray[np.bool_]:
    """Which windows of a dataset are not trained on: bool (n,)."""
    folder = join(processed_dir, name)
    with store_faults(f"reading {folder}"):
        return validation_mask(name, read_keys(folder, manifest), split)


def _without_windows(name: str, manifest: Manifest) -> ExportedDataset:
    status = "empty" if manifest["status"] == "completed" else manifest["status"]
    log.info("%s: %s, nothing to export", name, status)
    return ExportedDataset(status, manifest["reason"])


def _manifests(processed_dir: str, names: list[str] | None) -> dict[str, Manifest]:
    """Manifests of the chosen datasets, whatever their status."""
    there: dict[str, Manifest] = {}
    for name in list_names(processed_dir):
        if names is None or name in names:
            try:
                there[name] = read_manifest(join(processed_dir, name))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except ValueError as error:
                raise CorpusError(
                    f"{join(processed_dir, name)}/manifest.json {error}; prepare {name} again, or "
                    "leave it out"
                ) from None
    if not there and not list_names(processed_dir):
        raise nothing_there(processed_dir)
    absent = [name for name in names or () if name not in there]
    if absent:
        raise unknown(absent, prepared(processed_dir), processed_dir)
    if not there:
        raise nothing_there(processed_dir)
    return there


def _check_output(
    processed_dir: str, output: str, names: Iterable[str], *, overwrite: bool
) -> None:
    if same_place(output, processed_dir):
        raise UsageError(f"{output} holds the prepared windows; choose another --output")
    if overwrite:
        return
    files = [name for side in SIDES for name in side_files(side)]
    taken = [n for n in names if any(exists(join(output, n, file)) for file in [*files, ACCOUNT])]
    if taken:
        raise UsageError(
            f"{output} already holds an export of {', '.join(taken)}; choose another --output, or "
            "give --overwrite"
        )


def _batches(folder: str, manifest: Manifest) -> Iterator[pa.Table]:
    """All rows in the order of the parts, a few thousand at a time."""
    for part in manifest["parts"]:
        file = f"{folder}/windows/{part['name']}"
        try:
            with store_faults(f"reading {file}"):
                yield from _part_batches(file)
        except _DamagedError as error:
            raise CorpusError(
                f"{file} is missing or damaged ({error}); prepare {manifest['dataset']} again"
            ) from None


class _DamagedError(Exception):
    """A file that is not there or not Parquet; the message is the name of what was raised."""


def _part_batches(url: str) -> Iterator[pa.Table]:
    fs, path = resolve(url)
    try:
        with pq.ParquetFile(path, filesystem=fs) as file:
            for batch in file.iter_batches(_BATCH):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        plain = type(error) is OSError and error.errno is None  # so says pyarrow of damaged pages
        if plain or isinstance(error, FileNotFoundError | pa.ArrowException):
            raise _DamagedError(type(error).__name__) from None
        raise


def _write(
    target: str,
    dataset: str,
    batches: Iterator[pa.Table],
    held_out: NDArray[np.bool_],
    split: SplitConfig,
    progress: Progress,
) -> ExportedDataset:
    """Both sides of one dataset, then the account of them; nothing is visible before the end."""
    writer, done = RecordWriter(dataset), 0
    with store_faults(f"writing {target}", "export again with --overwrite"):
        with ExitStack() as stack:
            urls = [join(target, side_files(side)[0]) for side in SIDES]
            files = [stack.enter_context(atomic_writer(url)) for url in urls]
            with SideWriter(files[0]) as train, SideWriter(files[1]) as val:
                for table in batches:
                    lines = writer.lines(table)
                    held = held_out[done : done + len(table)]
                    train.write([lines[row] for row in np.flatnonzero(~held)])
                    val.write([lines[row] for row in np.flatnonzero(held)])
                    done += len(table)
                    progress(dataset, done)
            _clear(target, dataset)  # of the export that is replaced from here on
        write_json(join(target, ACCOUNT), _account(dataset, split, train, val))
    log.info("%s: %d records for training, %d held out", dataset, train.records, val.records)
    return ExportedDataset("exported", None, train.records, val.records, train.bytes + val.bytes)


def _clear(target: str, dataset: str) -> None:
    """Remove an export; until its account is written the new one is marked as unfinished."""
    write_json(join(target, ACCOUNT), {"dataset": dataset, UNFINISHED: True})
    for side in SIDES:
        for file in side_files(side):
            delete(join(target, file))


def _account(
    dataset: str, split: SplitConfig, train: SideWriter, val: SideWriter
) -> dict[str, Any]:
    return {
        "contract_version": CONTRACT_VERSION,
        "code_version": __version__,
        "dataset": dataset,
        "format": FORMAT,
        "split": split.model_dump(mode="json"),
        "train": train.document(),
        "val": val.document(),
    }
