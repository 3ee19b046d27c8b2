"""The Public Jira dump -> the reference form, one issue a JSON line: what others can read easily.

Everything readable is written, whatever else is wrong; what is wrong is reported. Preparing the
output gives the same windows as preparing the dump.
"""

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import msgspec
from isal import igzip

from jepa_ray.adapters.jira_document import reference_issue
from jepa_ray.adapters.jira_dump import dump_documents, is_dump
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError, StageError, UsageError
from jepa_ray.readers import GZIP, Bounds, BsonError, InputStream, Namespace, RawDefect, RawItem
from jepa_ray.storage import atomic_writer, client_failures, open_source, require_writable


def _json_value(value: Any) -> int | None:
    """What JSON can say of a BSON value that it does not know."""
    return int(value) if isinstance(value, int) else None


_encode = msgspec.json.Encoder(enc_hook=_json_value).encode
_OF_ONE_DOCUMENT = ("record_too_large", "malformed_document")  # any other is of the dump
_CHUNK = 1 << 20
_TOLD_EVERY = 1000
_MOST_NAMED = 20
_UNBOUNDED = Bounds(ratio=1 << 20, bytes=1 << 60)  # what we wrote ourselves is no bomb
_FILLER = str.maketrans("01", "x.")


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
    progress: Callable[[int], None] = lambda _: None,
) -> Normalized:
    """Write the issues of a dump as gzipped JSON lines.

    Args:
        source: An archive of `mongodump`, a `.bson[.gz]` file, or a folder that holds some; also
            one in an object store (`source_path`).
        target: Path or URL, `*.jsonl.gz`; appears whole and read back, or not at all.
        redact_text: Put an `x` or a dot for each character of summary and description, and reject
            an issue whose `created` or `dueDate` says something else than a time.
        progress: Called now and then with the number of documents read.

    Raises:
        SourceError: There is nothing of a dump at `source`.
        UsageError: `target` has another name, or cannot be written.
        StageError: What was written does not read back.
    """
    folder, _, name = str(target).rpartition("/")
    if not name.endswith(".jsonl.gz"):
        raise UsageError(f"{target} does not end in .jsonl.gz: give a name that does")
    files = _files(source)
    require_writable(folder or ".")
    result = Normalized()
    redact = Redaction() if redact_text else None
    with client_failures(f"writing {target}"), atomic_writer(target) as file:
        with igzip.GzipFile("", "wb", 2, file, mtime=0) as lines:
            for path in files:
                for line in _lines(path, result, redact=redact, progress=progress):
                    lines.write(line)
        file.flush()
        _verify(file, name, result.records)
    return result


class Redaction:
    """Takes the text out of issues, one after the other.

    Characters become `x` or a dot, drawn from a generator of a fixed seed: so many times the same
    one would be packed so well that a reader takes it for a decompression bomb.
    """

    def __init__(self) -> None:
        self._bits = Random(0).getrandbits  # noqa: S311 - there is nothing to guess

    def issue(self, issue: dict[str, Any]) -> dict[str, Any] | None:
        """The issue without its text; None where one of its times is something else.

        `prepare` rejects such an issue too.
        """
        if not all(map(_is_time, (issue["created"], issue["dueDate"]))):
            return None
        return issue | {name: self._text(issue[name]) for name in ("summary", "description")}

    def _text(self, value: Any) -> Any:
        """As many characters, none of them said; of a document the structure that is measured."""
        if isinstance(value, str):
            return f"{self._bits(len(value)):0{len(value)}b}".translate(_FILLER) if value else ""
        if isinstance(value, list):
            return [self._text(child) for child in value]
        if isinstance(value, dict):
            return {
                name: self._text(value[name]) if name in ("text", "content") else None
                for name in ("type", "text", "content")
                if name in value
            }
        return None


def _is_time(value: Any) -> bool:
    """Whether it is nothing, or what the reader of the reference form takes for a time."""
    if value is None or value == "":
        return True
    try:
        dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        names = sorted(p for p in source.rglob("*") if is_dump(p) and ".bson" in p.name)
        found = [path for path in names if not path.is_dir()]
        if not found:
            raise SourceError(f"{source} holds no .bson or .bson.gz file")
        return found
    if not source.is_file():
        raise SourceError(f"nothing at {source}: give the archive of the dump, or its folder")
    return [source]


def _lines(
    path: Path,
    result: Normalized,
    *,
    redact: Redaction | None,
    progress: Callable[[int], None],
) -> Iterator[bytes]:
    with open_source(path) as raw:
        for item in dump_documents(raw, path, PrepareConfig(), result.namespaces):
            if not item.number % _TOLD_EVERY:
                progress(item.number)
            if isinstance(item, RawDefect):
                _defect(path, item, result)
            elif (line := _line(item, result, redact=redact)) is not None:
                result.records += 1
                yield line + b"\n"


def _line(item: RawItem, result: Normalized, *, redact: Redaction | None) -> bytes | None:
    try:
        issue = reference_issue(item.name, item.data)
        if issue is None:
            result.skipped["not_an_issue"] += 1
            return None
        said = redact.issue(issue) if redact else issue
        if said is None:
            result.rejected["bad_time"] += 1
            return None
        return _encode(said)
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
