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
from fsspec.core import url_to_fs
from numpy.typing import NDArray

from jepa_ray import __version__
from jepa_ray.config import SplitConfig
from jepa_ray.corpus import read_keys, validation_mask
from jepa_ray.errors import CorpusError, UsageError
from jepa_ray.exchange.encode import RecordWriter
from jepa_ray.exchange.sides import ACCOUNT, SIDES, SideWriter, side_files
from jepa_ray.storage import (
    atomic_writer,
    delete,
    exists,
    join,
    list_names,
    require_writable,
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

    Returns:
        What became of each dataset.

    Raises:
        CorpusError: Nothing is prepared, a name is not, or windows are damaged or cannot be split.
        UsageError: There is an export already, or the output cannot be written to.
    """
    if output.rstrip("/") == processed_dir.rstrip("/"):
        raise UsageError(f"{output} holds the prepared windows; choose another --output")
    manifests = _manifests(processed_dir, names)
    full = {name: m for name, m in manifests.items() if m["status"] == "completed" and m["windows"]}
    if not overwrite:
        _refuse_to_replace(output, full)
    folders = {name: join(processed_dir, name) for name in full}
    masks = {
        name: validation_mask(name, read_keys(folders[name], manifest), split)
        for name, manifest in full.items()
    }
    if full:
        require_writable(output)
    found: dict[str, ExportedDataset] = {}
    for name, manifest in manifests.items():
        if name not in full:
            status = "empty" if manifest["status"] == "completed" else manifest["status"]
            found[name] = ExportedDataset(status, manifest["reason"])
            log.info("%s: %s, nothing to export", name, status)
            continue
        batches = _batches(folders[name], manifest)
        found[name] = _write(join(output, name), name, batches, masks[name], split, progress)
    return ExportResult(output, split, found)


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
    absent = [name for name in names or () if name not in there]
    if absent:
        raise CorpusError(
            f"dataset {', '.join(absent)} is not prepared in {processed_dir}; there: "
            f"{', '.join(list_names(processed_dir)) or 'nothing'}"
        )
    if not there:
        raise CorpusError(f"no prepared dataset in {processed_dir}; run `jepa-ray prepare` first")
    return there


def _refuse_to_replace(output: str, names: Iterable[str]) -> None:
    files = [name for side in SIDES for name in side_files(side)]
    taken = [n for n in names if any(exists(join(output, n, file)) for file in [*files, ACCOUNT])]
    if taken:
        raise UsageError(
            f"{output} already holds an export of {', '.join(taken)}; choose another --output, or "
            "give --overwrite"
        )


def _batches(folder: str, manifest: Manifest) -> Iterator[pa.Table]:
    """All rows in the order of the parts, a few thousand at a time."""
    fs, path = url_to_fs(folder)
    for part in manifest["parts"]:
        try:
            with pq.ParquetFile(f"{path}/windows/{part['name']}", filesystem=fs) as file:
                for batch in file.iter_batches(_BATCH):
                    yield pa.Table.from_batches([batch])
        except (OSError, pa.ArrowException) as error:  # pyarrow says OSError of damaged pages
            raise CorpusError(
                f"{folder}/windows/{part['name']} is missing or damaged "
                f"({type(error).__name__}); prepare {manifest['dataset']} again"
            ) from None


def _write(
    target: str,
    dataset: str,
    batches: Iterator[pa.Table],
    held_out: NDArray[np.bool_],
    split: SplitConfig,
    progress: Progress,
) -> ExportedDataset:
    """Both sides of one dataset, then the account of them; nothing is visible before the end."""
    writer = RecordWriter(dataset)
    done = 0
    with ExitStack() as stack:
        train, val = [
            stack.enter_context(
                SideWriter(stack.enter_context(atomic_writer(join(target, side_files(side)[0]))))
            )
            for side in SIDES
        ]
        for table in batches:
            val_rows = held_out[done : done + len(table)].tolist()
            lines = writer.lines(table)
            train.write([line for line, held in zip(lines, val_rows, strict=True) if not held])
            val.write([line for line, held in zip(lines, val_rows, strict=True) if held])
            done += len(table)
            progress(dataset, done)
        delete(join(target, ACCOUNT))  # of the export that is replaced from here on
    for side in SIDES:
        delete(join(target, side_files(side)[1]))
    account = {
        "contract_version": CONTRACT_VERSION,
        "code_version": __version__,
        "dataset": dataset,
        "format": FORMAT,
        "split": split.model_dump(mode="json"),
        "train": train.document(),
        "val": val.document(),
    }
    write_json(join(target, ACCOUNT), account)
    log.info("%s: %d records for training, %d held out", dataset, train.records, val.records)
    return ExportedDataset("exported", None, train.records, val.records, train.bytes + val.bytes)
