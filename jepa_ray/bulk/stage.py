"""The stage: make each archive in a folder of its own, then give its files their places.

Beside the data root's archives stands `expected/<dataset>.json`: what was ordered, the files, and
what `prepare` has to make of them. It is written last; the same order again finds it and does
nothing.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jepa_ray.adapters import adapters
from jepa_ray.bulk.files import written
from jepa_ray.cluster import session
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError, UsageError
from jepa_ray.prepared import did_you_mean
from jepa_ray.storage import exclusive, read_json, write_json
from jepa_ray.synth import DATASETS, synthesize
from jepa_ray.synth.bulk import BULK, Order, Packed, Piece, make, records_of

log = logging.getLogger(__name__)

_FORM = 1
_ON_RAY_FROM = 256 << 20  # bytes before compression
Progress = Callable[[str, int], None]
"""Told (dataset, records so far) whenever a piece is done."""
Maker = Callable[[Iterable[Piece]], Iterator[Packed]]


@dataclass(frozen=True)
class Wish:
    """What to make of each dataset.

    Attributes:
        records: How many; or else
        size: how many bytes before compression, about.
        seed: From 0 up.
        defects: Share of records with a defect.
    """

    records: int | None = None
    size: int | None = None
    seed: int = 0
    defects: float = 0.0


@dataclass
class _Made:
    """An archive, as `synth --json` and `expected/<dataset>.json` show it."""

    dataset: str
    order: dict[str, Any]
    account: dict[str, Any]
    files: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "order": self.order, **self.account, "files": self.files}


def write_archives(
    names: list[str],
    output: Path,
    wish: Wish,
    progress: Progress = lambda _dataset, _records: None,
) -> dict[str, dict[str, Any]]:
    """Make up archives below a data root.

    Args:
        names: Datasets.
        output: The data root, a local folder; created if absent.
        wish: How much, and how.
        progress: Called as pieces finish.

    Returns:
        By dataset the document of `expected/<dataset>.json`, with `seconds` and `unchanged` added.

    Raises:
        SourceError: A dataset is unknown, or cannot be made as wished.
        UsageError: There are other files of a dataset, or another process is at work there.
        StageError: A task failed.
    """
    orders = [_order(name, wish) for name in dict.fromkeys(names)]
    results = {}
    with ExitStack() as stack:
        stack.enter_context(exclusive(output / "expected", "write archives into"))
        before = {order.dataset: _before(order, output) for order in orders}
        large = any(_large(order) for order in orders if before[order.dataset] is None)
        maker: Maker = _on_ray(stack, names) if large else _here
        for order in orders:
            began = time.monotonic()
            found = before[order.dataset]
            result = found or _write(order, output, maker, progress)
            seconds = round(time.monotonic() - began, 3)
            results[order.dataset] = result | {"seconds": seconds, "unchanged": found is not None}
    return results


def made_before(names: list[str], output: Path, wish: Wish) -> dict[str, dict[str, Any] | None]:
    """The documents of those archives that are there as wished; None for the others.

    Args:
        names: Datasets.
        output: The data root, also one in an object store (`source_path`).
        wish: How much, and how.

    Raises:
        SourceError, UsageError: As `write_archives`.
    """
    orders = [_order(name, wish) for name in dict.fromkeys(names)]
    return {order.dataset: _before(order, output) for order in orders}


def _order(name: str, wish: Wish) -> Order:
    """What to make of one dataset.

    Raises:
        SourceError: It cannot be made.
    """
    if name not in DATASETS:
        raise SourceError(
            f"cannot make up the dataset {name!r}{did_you_mean([name], DATASETS)} Allowed: "
            f"{', '.join(DATASETS)}"
        )
    if (wish.records is None) == (wish.size is None):
        raise UsageError("give either --size or --records")
    fewest = 1 if wish.records is None else wish.records
    if wish.seed < 0 or fewest < 1 or not 0 <= wish.defects <= 1:
        raise UsageError("--seed is from 0 up, --records from 1 up, --defects from 0 to 1")
    if name not in BULK and (wish.records is None or wish.defects):
        raise SourceError(
            f"{name} can be made up by --records and without --defects only; a size and defects "
            f"are for {', '.join(BULK)}"
        )
    records = wish.records or records_of(name, wish.size or 0)
    return Order(name, wish.seed, records, wish.defects)


def _large(order: Order) -> bool:
    return order.dataset in BULK and order.records > records_of(order.dataset, _ON_RAY_FROM)


def _before(order: Order, output: Path) -> dict[str, Any] | None:
    """The document of the same archive, if it is there, whole.

    Raises:
        UsageError: Other files of the dataset are there.
    """
    shards = adapters()[order.dataset](PrepareConfig()).shards(output)
    try:
        found: dict[str, Any] = read_json(_document(order, output))
    except (FileNotFoundError, ValueError):
        found = {}
    if found.get("order") == _as_json(order) and all(
        (output / file["path"]).is_file()
        and (output / file["path"]).stat().st_size == file["bytes"]
        for file in found["files"]
    ):
        log.info("%s: the same archive is there, nothing to do", order.dataset)
        return found
    if shards:
        raise UsageError(
            f"{output} holds {shards[0].files[0].label}: an archive of {order.dataset} that this "
            "order did not make; choose another --output, or delete it"
        )
    return None


def _write(order: Order, output: Path, maker: Maker, progress: Progress) -> dict[str, Any]:
    """Make an archive beside its place, and move it there."""
    hidden = output / f".synth-{order.dataset}"
    shutil.rmtree(hidden, ignore_errors=True)
    try:
        if order.dataset in BULK:
            account = written(order, hidden, maker, progress)
        else:
            records = synthesize(order.dataset, hidden, seed=order.seed, records=order.records)
            account = {"records": records}
        made = _Made(order.dataset, _as_json(order), account)
        for path in sorted(path for path in hidden.rglob("*") if path.is_file()):
            place = path.relative_to(hidden)
            made.files.append({"path": place.as_posix(), "bytes": path.stat().st_size})
            (output / place).parent.mkdir(parents=True, exist_ok=True)
            path.replace(output / place)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    write_json(_document(order, output), made.document())
    return made.document()


def _as_json(order: Order) -> dict[str, Any]:
    return {
        "form": _FORM, "seed": order.seed, "records": order.records, "defects": order.defects,
    }  # fmt: skip


def _document(order: Order, output: Path) -> str:
    return str(output / "expected" / f"{order.dataset}.json")


def _here(pieces: Iterable[Piece]) -> Iterator[Packed]:
    return map(make, pieces)


def _on_ray(stack: ExitStack, names: list[str]) -> Maker:
    stack.enter_context(session(about={"verb": "synth", "dataset": ",".join(names)}))
    from jepa_ray.bulk.work import on_ray  # noqa: PLC0415 - imports ray

    return on_ray
