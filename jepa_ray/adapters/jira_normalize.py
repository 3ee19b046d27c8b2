"""The Public Jira dump -> the reference form, one issue a JSON line: what others can read easily.

Everything readable is written, whatever else is wrong; what is wrong is reported. Preparing the
output gives the same windows as preparing the dump.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from isal import igzip

from jepa_ray.adapters.jira_document import reference_issue
from jepa_ray.adapters.jira_dump import dump_documents, is_dump
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError, StageError, UsageError
from jepa_ray.readers import GZIP, BsonError, InputStream, Namespace, RawDefect, RawItem


def _json_value(value: Any) -> int | None:
    """What JSON can say of a BSON value that it does not know."""
    return int(value) if isinstance(value, int) else None


_encode = msgspec.json.Encoder(enc_hook=_json_value).encode
_OF_ONE_DOCUMENT = ("record_too_large", "malformed_document")  # any other is of the dump
_CHUNK = 1 << 20
_TOLD_EVERY = 1000
_MOST_NAMED = 20


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
    target: Path,
    *,
    redact_text: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Normalized:
    """Write the issues of a dump as gzipped JSON lines.

    Args:
        source: An archive of `mongodump`, a `.bson[.gz]` file, or a folder that holds some.
        target: `*.jsonl.gz`; appears whole and read back, or not at all.
        redact_text: Put an `x` for each character of summary and description.
        progress: Called now and then with the number of documents read.

    Raises:
        SourceError: There is nothing of a dump at `source`.
        UsageError: `target` has another name, or cannot be written.
        StageError: What was written does not read back.
    """
    if not target.name.endswith(".jsonl.gz"):
        raise UsageError(f"{target} does not end in .jsonl.gz: give a name that does")
    result = Normalized()
    with _whole_file(target) as temporary:
        with temporary.open("wb") as file, igzip.GzipFile("", "wb", 2, file, mtime=0) as lines:
            for path in _files(source):
                for line in _lines(path, result, redact=redact_text, progress=progress):
                    lines.write(line)
        _verify(temporary, result.records)
    return result


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        found = sorted(p for p in source.rglob("*") if is_dump(p) and ".bson" in p.name)
        if not found:
            raise SourceError(f"{source} holds no .bson or .bson.gz file")
        return found
    if not source.is_file():
        raise SourceError(f"nothing at {source}: give the archive of the dump, or its folder")
    return [source]


def _lines(
    path: Path, result: Normalized, *, redact: bool, progress: Callable[[int], None]
) -> Iterator[bytes]:
    with path.open("rb") as raw:
        for item in dump_documents(raw, path, PrepareConfig(), result.namespaces):
            if not item.number % _TOLD_EVERY:
                progress(item.number)
            if isinstance(item, RawDefect):
                _defect(path, item, result)
            elif (line := _line(item, result, redact=redact)) is not None:
                result.records += 1
                yield line + b"\n"


def _line(item: RawItem, result: Normalized, *, redact: bool) -> bytes | None:
    try:
        issue = reference_issue(item.name, item.data)
        if issue is None:
            result.skipped["not_an_issue"] += 1
            return None
        if redact:
            issue |= {name: _redacted(issue[name]) for name in ("summary", "description")}
        return _encode(issue)
    except (BsonError, RecursionError, UnicodeEncodeError, TypeError, ValueError, OverflowError):
        result.rejected["malformed_document"] += 1
        return None


def _defect(path: Path, defect: RawDefect, result: Normalized) -> None:
    if defect.slug == "not_mongodump" and not result.records:
        raise SourceError(f"{path}: {defect.detail}")
    result.rejected[defect.slug] += 1
    if defect.slug not in _OF_ONE_DOCUMENT and len(result.broken) < _MOST_NAMED:
        result.broken.append(f"{defect.slug}: {defect.detail}")


def _redacted(value: Any) -> Any:
    """As many characters, none of them said; of a document the structure that is measured."""
    if isinstance(value, str):
        return "x" * len(value)
    if isinstance(value, list):
        return [_redacted(child) for child in value]
    if isinstance(value, dict):
        return {
            name: _redacted(value[name]) if name in ("text", "content") else None
            for name in ("type", "text", "content")
            if name in value
        }
    return None


@contextmanager
def _whole_file(target: Path) -> Iterator[Path]:
    """A temporary file beside the target, which takes its name when the block ends well."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".tmp-")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _verify(path: Path, records: int) -> None:
    """Read back what was written, its checksums included."""
    with path.open("rb") as raw:
        lines = _count_lines(raw)
    if lines != records:
        raise StageError(f"{path.name} did not read back: {records} lines written, {lines} read")


def _count_lines(raw: BinaryIO) -> int:
    stream = InputStream(raw, codec=GZIP)
    lines = 0
    while piece := stream.read(_CHUNK):
        lines += piece.count(b"\n")
    if stream.defect:
        raise StageError(f"what was written did not read back: {stream.defect[1]}")
    return lines
