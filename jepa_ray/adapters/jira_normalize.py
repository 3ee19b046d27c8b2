"""Issues of Jira -> JSON lines: the reference form, or the deadlines that the issues had.

Everything readable is written, whatever else is wrong; what is wrong is reported. Preparing the
reference form gives the same windows as preparing the dump.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from isal import igzip

from jepa_ray.adapters.base import NotReadableError, bounds
from jepa_ray.adapters.jira_deadline import DEADLINES
from jepa_ray.adapters.jira_dump import dump_documents, is_dump
from jepa_ray.adapters.jira_forms import Form, deadline, redacted, reference
from jepa_ray.adapters.jira_rest import is_rest, jira_of
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError, StageError, UsageError
from jepa_ray.readers import (
    GZIP,
    Bounds,
    BsonError,
    InputStream,
    Namespace,
    RawDefect,
    RawItem,
    codec_of,
    tar_members,
)
from jepa_ray.storage import atomic_writer, client_failures, open_source, require_writable
from jepa_ray.windows import Skipped


def _json_value(value: Any) -> int | None:
    """What JSON can say of a BSON value that it does not know."""
    return int(value) if isinstance(value, int) else None


_encode = msgspec.json.Encoder(enc_hook=_json_value).encode
_OF_ONE_DOCUMENT = (
    "record_too_large",
    "malformed_document",
    "unsafe_member",
)  # any other is of the dump
_CHUNK = 1 << 20
_TOLD_EVERY = 1000
_MOST_NAMED = 20
_UNBOUNDED = Bounds(ratio=1 << 20, bytes=1 << 60)  # what we wrote ourselves is no bomb


@dataclass
class Normalized:
    """What became of a dump.

    Attributes:
        records: Lines written.
        skipped: Documents that are no issues, by reason.
        rejected: Documents and places that could not be read, by slug.
        namespaces: What was found in each collection.
        broken: What is wrong with the dump itself, in sentences, the first 20 of them; empty when
            it is whole.
    """

    records: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The result of `jepa-ray normalize-jira --json`."""
        return {
            "records": self.records,
            "skipped": dict(self.skipped),
            "rejected": dict(self.rejected),
            "namespaces": {
                name: {"documents": found.documents, "crc_ok": found.crc_ok}
                for name, found in self.namespaces.items()
            },
        }


def normalize_jira(
    source: Path,
    target: str | Path,
    *,
    redact_text: bool = False,
    deadlines: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Normalized:
    """Write issues as gzipped JSON lines.

    Args:
        source: An archive of `mongodump`, a `.bson[.gz]` file, a folder that holds some, or a
            `.tar.gz` of answers of the API; also one in an object store (`source_path`).
        target: Path or URL, `*.jsonl.gz`, of deadlines `*.deadlines.jsonl.gz`; appears whole and
            read back, or not at all.
        redact_text: Put an `x` or a dot for each character of summary and description, and reject
            an issue whose `created` or `dueDate` says something else than a time.
        deadlines: Write the lines of `deadline_line`, which hold no text, of the issues that ever
            had a due date; the others are skipped as `never_due`.
        progress: Called now and then with the number of documents read.

    Raises:
        SourceError: There is nothing of a dump at `source`.
        UsageError: `target` has another name, or cannot be written.
        StageError: What was written does not read back.
    """
    folder, _, name = str(target).rpartition("/")
    _require_name(name, str(target), deadlines=deadlines)
    files = _files(source)
    require_writable(folder or ".")
    result = Normalized()
    form = deadline if deadlines else redacted() if redact_text else reference
    with client_failures(f"writing {target}"), atomic_writer(target) as file:
        with igzip.GzipFile("", "wb", 2, file, mtime=0) as lines:
            for path in files:
                for line in _lines(path, result, form=form, progress=progress):
                    lines.write(line)
        file.flush()
        _verify(file, name, result.records)
    return result


def _require_name(name: str, target: str, *, deadlines: bool) -> None:
    """Two forms under one name would be taken for one another."""
    ending = DEADLINES if deadlines else ".jsonl.gz"
    if not name.endswith(ending):
        raise UsageError(f"{target} does not end in {ending}: give a name that does")
    if not deadlines and name.endswith(DEADLINES):
        raise UsageError(f"{target} is a name for deadlines: add --deadlines, or give another name")


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        names = sorted(p for p in source.rglob("*") if is_dump(p) and ".bson" in p.name)
        found = [path for path in names if not path.is_dir()]
        if not found:
            raise SourceError(
                f"{source} holds no .bson or .bson.gz file; archives (*.archive, *.tar.gz) are "
                "given one by one"
            )
        return found
    if not source.is_file():
        raise SourceError(f"nothing at {source}: give the archive of the dump, or its folder")
    if is_rest(source.name) and not jira_of(source.name):
        raise SourceError(f"{source}: its name has to begin with the name of the Jira")
    return [source]


def _lines(
    path: Path,
    result: Normalized,
    *,
    form: Form,
    progress: Callable[[int], None],
) -> Iterator[bytes]:
    with open_source(path) as raw:
        for item in _items(raw, path, result.namespaces):
            if not item.number % _TOLD_EVERY:
                progress(item.number)
            if isinstance(item, RawDefect):
                _defect(path, item, result)
            elif (line := _line(path, item, result, form)) is not None:
                result.records += 1
                yield line + b"\n"


def _items(
    raw: BinaryIO, path: Path, namespaces: dict[str, Namespace]
) -> Iterator[RawItem | RawDefect]:
    """Documents of a dump, or members of an archive of the API."""
    config = PrepareConfig()
    if not is_rest(path.name):
        yield from dump_documents(raw, path, config, namespaces)
        return
    count = namespaces.setdefault(jira_of(path.name), Namespace())
    stream = InputStream(raw, codec=codec_of(path.name), bounds=bounds(config))
    for item in tar_members(stream, max_member_bytes=config.max_record_bytes):
        count.documents += isinstance(item, RawItem)
        yield item


def _line(path: Path, item: RawItem, result: Normalized, form: Form) -> bytes | None:
    try:
        said = form(item, jira_of(path.name) if is_rest(path.name) else None)
        if isinstance(said, Skipped):
            result.skipped[said.reason] += 1
            return None
        return _encode(said)
    except NotReadableError as error:
        result.rejected[error.slug] += 1
    except (BsonError, RecursionError, UnicodeEncodeError, TypeError, ValueError, OverflowError):
        result.rejected["malformed_document"] += 1
    return None


def _defect(path: Path, defect: RawDefect, result: Normalized) -> None:
    if defect.slug == "not_mongodump" and not result.records:
        raise SourceError(f"{path}: {defect.detail}")
    result.rejected[defect.slug] += 1
    if defect.slug not in _OF_ONE_DOCUMENT and len(result.broken) < _MOST_NAMED:
        result.broken.append(f"{defect.slug}: {defect.detail}")


def _verify(file: BinaryIO, name: str, records: int) -> None:
    """Read back what was written, its checksums included.

    Args:
        file: Open; `atomic_writer` gives a file that can be read by its descriptor too.
        name: That it will have, for messages.
        records: Lines that there have to be.
    """
    with os.fdopen(os.dup(file.fileno()), "rb") as raw:
        raw.seek(0)
        lines = _count_lines(raw)
    if lines != records:
        raise StageError(f"{name} did not read back: {records} lines written, {lines} read")


def _count_lines(raw: BinaryIO) -> int:
    stream = InputStream(raw, codec=GZIP, bounds=_UNBOUNDED)
    lines = 0
    while piece := stream.read(_CHUNK):
        lines += piece.count(b"\n")
    if stream.defect:
        raise StageError(f"what was written did not read back: {stream.defect[1]}")
    return lines
