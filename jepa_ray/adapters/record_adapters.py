"""What adapters share that make activities one by one; a dataset adds what is its own.

    FileAdapter            settings, the salted hasher, a shard a file
    +-- RecordAdapter      + parse: `records` cuts an item, `activity` reads one record
        +-- LineAdapter    + lines, one record each
        +-- JsonAdapter    + JSON documents, or the elements of an array

A volume source derives from `FileAdapter` and fills columns in a `parse` of its own.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jepa_ray.adapters.base import (
    NotReadableError,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    json_blocks,
    line_blocks,
    name_hasher,
)
from jepa_ray.adapters.json_values import decode_object
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import Activity, ActivityBatch, Rejected, Skipped

MAX_DIGITS = 20
_MAX_REJECTED = 1 << 18  # of an item; more than a chunk of lines can have


class FileAdapter:
    """Settings, the salted hasher, and one shard a file; a dataset adds `blocks` and `parse`.

    Attributes:
        _config: The settings of the run.
        _hash: Salted hash of a name: an int, or hex digits by `_hash.hex(name)`.
    """

    info: ClassVar[SourceInfo]
    version: ClassVar[int]
    kind: ClassVar[str]

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """One shard a file at the path of `info`, as it is or gzipped."""
        return file_shards(root, (self.info.path, f"{self.info.path}.gz"))

    def public_id(self, found: str) -> str:
        """An id that is a number, as it is; anything else could carry text, so its hash."""
        return found if is_number(found) else f"id-{self._hash.hex(found)}"


class RecordAdapter(FileAdapter):
    """Reads record by record; a dataset adds `blocks` and `activity`, and `records` if need be."""

    def records(self, item: RawItem) -> Iterator[tuple[str, Any]]:
        """The records of a raw item: where each stands in the file, and what `activity` takes.

        A record that is broken may be given as a `NotReadableError`, so that the next one is read.

        Raises:
            NotReadableError: The item cannot be taken apart; it counts as one rejected record.
        """
        yield f"#{item.number}", item

    def activity(self, record: Any) -> Activity | Skipped:
        """What one record becomes.

        Raises:
            NotReadableError: It cannot be read; it goes to the quarantine with its place.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method activity")

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """All records of some items, each an activity, a skip or a rejection."""
        return ActivityBatch.of(self.kind, (o for item in items for o in self._item(label, item)))

    def _item(self, label: str, item: RawItem) -> Iterator[Activity | Rejected | Skipped]:
        rejected = 0
        try:
            for place, record in self.records(item):
                outcome = self._outcome(f"{label}{place}", record)
                yield outcome
                rejected += isinstance(outcome, Rejected)
                if rejected > _MAX_REJECTED:
                    detail = f"more than {_MAX_REJECTED} bad records; the rest is given up"
                    yield Rejected(f"{label}#{item.number}", "too_many_bad_records", detail)
                    return
        except NotReadableError as error:
            yield Rejected(f"{label}#{item.number}", error.slug, error.detail)

    def _outcome(self, where: str, record: Any) -> Activity | Rejected | Skipped:
        try:
            if isinstance(record, NotReadableError):
                raise record
            return self.activity(record)
        except NotReadableError as error:
            return Rejected(where, error.slug, error.detail)


class LineAdapter(RecordAdapter):
    """One record a line, given to `activity` as a `RawItem` with the line's number.

    Attributes:
        header: The first line, if there is one that is no record, less its line end.
    """

    header: ClassVar[bytes | None] = None

    def __init_subclass__(cls) -> None:
        """Refuse a header that can never be met."""
        if not isinstance(cls.header, bytes | None):
            raise TypeError(f"{cls.__name__}.header must be bytes, as the file has it, or None")

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines."""
        return line_blocks(file, self._config)

    def records(self, item: RawItem) -> Iterator[tuple[str, RawItem]]:
        """The lines of a chunk that are neither empty nor the header."""
        for number, line in enumerate(item.data.split(b"\n"), start=item.number):
            data = line.removeprefix(BOM_UTF8) if number == 1 else line
            if data.strip() and not (number == 1 and data.strip() == self.header):
                yield f":{number}", RawItem(number, item.name, data)


class JsonAdapter(RecordAdapter):
    """JSON documents, or the elements of an array: objects, given to `activity` as a dict."""

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """The elements of an array one by one; any other document as one item."""
        return json_blocks(file, self._config)

    def records(self, item: RawItem) -> Iterator[tuple[str, Any]]:
        """The object; a document with many records in it cuts them out here."""
        yield f"#{item.number}", decode_object(item.data)


def is_number(text: str) -> bool:
    """Whether a text is digits only, and no more than an id has: it carries no name."""
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
