"""What is to be embedded: parts of prepared datasets or bare Parquet files, cut into pieces.

A piece is the unit of work and of retry, and becomes one file. How the input is cut follows from
the input alone, never from how many work on it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.corpus import prepared
from jepa_ray.corpus.parts import Part, PartReader
from jepa_ray.errors import CorpusError
from jepa_ray.storage import (
    absolute,
    client_failures,
    exists,
    join,
    list_files,
    list_names,
    resolve,
)
from jepa_ray.windows import CONTRACT_VERSION, WINDOW_SCHEMA, Manifest, read_manifest

COLUMNS = ["window_uid", "window_start", "actor", "runs"]
_NEVER_NULL = ("window_uid", "runs")
_CONTRACT = b"jepa_ray.contract_version"
_HASHED_BYTES = 8 << 20


class Span(NamedTuple):
    """Some rows of a part.

    Attributes:
        part: The file; of a bare one, its `dataset` is only for messages.
        group: The row group in which rows are counted; None: the whole file.
        start, stop: Rows.
        mark: What tells the content of the part from another one.
    """

    part: Part
    group: int | None
    start: int
    stop: int
    mark: str


class Piece(NamedTuple):
    """Rows that become one file.

    Attributes:
        dataset: Of all of them; None: not known.
        spans: In order.
    """

    dataset: str | None
    spans: tuple[Span, ...]

    @property
    def rows(self) -> int:
        """How many."""
        return sum(span.stop - span.start for span in self.spans)

    def read(self) -> pa.Table:
        """The rows with the columns `COLUMNS`.

        Raises:
            CorpusError: A part is missing, damaged, of another form or length.
            StageError: An object store fails.
        """
        return pa.concat_tables([table for span in self.spans for table in _rows(span)])


@dataclass(frozen=True)
class Given:
    """The input of a run.

    Attributes:
        url: As given; absolute.
        datasets: Fingerprints of prepared datasets by name; empty for bare files.
        spans: With their dataset, in the order of the output.
    """

    url: str
    datasets: dict[str, str]
    spans: tuple[tuple[str | None, Span], ...]

    @property
    def windows(self) -> int:
        """How many in all."""
        return sum(span.stop - span.start for _, span in self.spans)


def open_input(url: str) -> Given:
    """Find the windows at a place, without reading them.

    Args:
        url: Path or URL of a processed folder, of one dataset in it, or of Parquet files with rows
            of `WINDOW_SCHEMA`.

    Raises:
        CorpusError: There are none, or they are of another form or contract.
    """
    url = absolute(url)
    given = _one_dataset(url) or _processed(url) or _bare(url)
    if not given.windows:
        raise CorpusError(f"{url} holds no windows: there is nothing to embed")
    return given


def cut(given: Given, rows: int) -> list[Piece]:
    """Pieces of `rows` windows each; the last of a dataset may be smaller."""
    return [
        Piece(dataset, spans)
        for dataset, found in groupby(given.spans, key=lambda item: item[0])
        for spans in _pieces((span for _, span in found), rows)
    ]


def _pieces(spans: Iterator[Span], rows: int) -> Iterator[tuple[Span, ...]]:
    taken: list[Span] = []
    room = rows
    for span in spans:
        start = span.start
        while start < span.stop:
            stop = min(start + room, span.stop)
            taken.append(span._replace(start=start, stop=stop))
            room -= stop - start
            start = stop
            if not room:
                yield tuple(taken)
                taken, room = [], rows
    if taken:
        yield tuple(taken)


def _rows(span: Span) -> Iterator[pa.Table]:
    at = 0
    groups = None if span.group is None else [span.group]
    for _, table in PartReader().read({span.part: groups}, COLUMNS):
        low, high = max(span.start - at, 0), min(span.stop - at, len(table))
        if low < high:
            rows = table.slice(low, high - low)
            _require_no_null(rows, span.part.url)
            yield rows
        at += len(table)
        if at >= span.stop:
            return


def _require_no_null(rows: pa.Table, url: str) -> None:
    for name in _NEVER_NULL:
        count = rows[name].null_count
        if count:
            raise CorpusError(
                f"{url}: {name} is null in {count} of its windows; docs/windows.md has the form"
            )


def _one_dataset(folder: str) -> Given | None:
    try:
        manifest = read_manifest(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise CorpusError(f"{folder}/manifest.json {error}; prepare it again") from None
    if manifest["status"] != "completed":
        raise CorpusError(
            f"{folder}/manifest.json says that it is {manifest['status']} ({manifest['reason']}); "
            "prepare it, or name another input"
        )
    return _prepared(folder, [(folder, manifest)])


def _processed(folder: str) -> Given | None:
    places = [join(folder, name) for name in prepared(folder)]
    found = [(place, read_manifest(place)) for place in places]
    _require_each_once(found)
    return _prepared(folder, found) if found else None


def _require_each_once(found: list[tuple[str, Manifest]]) -> None:
    """See that no dataset lies in two folders, as when one was copied."""
    folders: dict[str, str] = {}
    for folder, manifest in found:
        first = folders.setdefault(manifest["dataset"], folder)
        if first != folder:
            raise CorpusError(
                f"{first} and {folder} both hold the dataset {manifest['dataset']}, so its windows "
                "would be embedded twice; move one of them out of the input"
            )


def _prepared(url: str, found: list[tuple[str, Manifest]]) -> Given:
    spans = [
        (manifest["dataset"], _of_manifest(folder, manifest, part))
        for folder, manifest in found
        for part in manifest["parts"]
    ]
    prints = {manifest["dataset"]: str(manifest["fingerprint"]) for _, manifest in found}
    return Given(url, prints, tuple(spans))


def _of_manifest(folder: str, manifest: Manifest, listed: dict[str, Any]) -> Span:
    url = join(folder, "windows", listed["name"])
    part = Part(url, manifest["dataset"], listed["rows"], listed["bytes"])
    mark = f"{manifest['fingerprint']} {part.rows} {part.bytes} {listed['name']}"
    return Span(part, None, 0, part.rows, mark)


def _bare(url: str) -> Given:
    """Parquet files that no manifest lists; each row group is found by its footer."""
    if url.endswith(".parquet") and list_names(url) in ([], [url.rpartition("/")[2]]):
        if not exists(url):
            raise CorpusError(f"nothing at {url}: --input names windows that `prepare` wrote")
        spans = _of_file(url)
    else:
        names = [n for n in list_files(url) if n.endswith(".parquet") and n[0] not in "._"]
        if not names:
            raise CorpusError(
                f"{url} holds no prepared windows: give a folder that `jepa-ray prepare` wrote, "
                "<processed-dir>/<dataset>, or Parquet files of windows"
            )
        spans = [span for name in sorted(names) for span in _of_file(join(url, name))]
    return Given(url, {}, tuple((None, span) for span in spans))


def _of_file(url: str) -> list[Span]:
    fs, path = resolve(url)
    try:
        with client_failures(f"reading {url}"), fs.open(path, "rb") as file:
            found = pq.ParquetFile(file)
            _require_ours(url, found.schema_arrow)
            sizes = [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)]
            file.seek(0)
            digest = hashlib.blake2b(digest_size=16)
            while piece := file.read(_HASHED_BYTES):
                digest.update(piece)
            part = Part(url, "these windows", sum(sizes), file.tell())
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{url} is missing, damaged or no Parquet file ({type(error).__name__})"
        ) from None
    mark = digest.hexdigest()
    return [Span(part, i, 0, rows, mark) for i, rows in enumerate(sizes) if rows]


def _require_ours(url: str, schema: pa.Schema) -> None:
    """See that a file holds windows of this contract."""
    for name in COLUMNS:
        place = schema.get_field_index(name)
        if place < 0 or schema.field(place).type != WINDOW_SCHEMA.field(name).type:
            found = "absent" if place < 0 else schema.field(place).type
            raise CorpusError(
                f"{url} holds no windows: its column {name} is {found}, not "
                f"{WINDOW_SCHEMA.field(name).type}; docs/windows.md has the form"
            )
    version = (schema.metadata or {}).get(_CONTRACT, b"absent").decode("utf-8", "replace")
    if version != str(CONTRACT_VERSION):
        raise CorpusError(
            f"{url}: the contract version of its windows is {version}, this version reads "
            f"{CONTRACT_VERSION}; prepare them again"
        )
