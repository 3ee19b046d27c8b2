"""SmartToDo: to-do items that judges wrote for mails, in coded form.

Source: Mukherjee et al.: Smart To-Do, ACL 2020 (licence and citation: docs/sources.md).
A row of Spans_ToDo_dataset.tsv (CRLF, no quoting) becomes one untimed `Activity`: the mails are of
the licensed Avocado collection, so words are numbers (`$810$`) and there is no date. Two judges
wrote for each `UniqueID`, one pair not in neighbouring rows, so the line number is part of the
`source_id`. `text_length` counts the characters of the coded summary; metadata has the words.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from jepa_ray.adapters.base import (
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    line_blocks,
    name_hasher,
)
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import TEXT_CHARS_SCALE, Activity, ActivityBatch, Rejected

CONFIDENCE = 0.6
_COLUMNS = (
    "UniqueID", "data_index", "current_id", "highlight_start", "highlight_end", "to_do_summary",
)  # fmt: skip
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class SmartTodoCoded:
    """Adapter of the dataset `smart_todo_coded`."""

    info: ClassVar = SourceInfo(
        dataset="smart_todo_coded",
        group="tasks",
        path="smart_todo/data/Coded_Annotations/Spans_ToDo_dataset.tsv",
        licence="MSR data licence (annotations); the code is MIT",
        how_to_get="https://github.com/MSR-LIT/SmartToDo (data/Coded_Annotations, 2.5 MB, 24,070 "
        "rows)",
        citation="Mukherjee, Mukherjee, Hasegawa, Awadallah, White: Smart To-Do: Automatic "
        "Generation of To-Do Items from Emails, ACL 2020",
    )
    version: ClassVar = 1
    kind: ClassVar = "to_do"

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """The one file."""
        return file_shards(root, (self.info.path,))

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines."""
        return line_blocks(file, self._config)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Rows of some chunks; the header is no record."""
        return ActivityBatch.of(
            self.kind,
            (
                self._row(label, number, line)
                for item in items
                for number, line in enumerate(item.data.split(b"\n"), start=item.number)
                if line.strip() and not (number == 1 and _is_header(line))
            ),
        )

    def _row(self, label: str, number: int, line: bytes) -> Activity | Rejected:
        where = f"{label}:{number}"
        try:
            row = line.removesuffix(b"\r").decode().split("\t")
        except UnicodeDecodeError as error:
            return Rejected(where, "malformed_line", f"not UTF-8 at byte {error.start}")
        if len(row) != len(_COLUMNS):
            detail = f"{len(row)} columns, not {len(_COLUMNS)}"
            return Rejected(where, "malformed_line", detail)
        unique_id, _, mail, first, last, summary = row
        if not all(map(_NUMBER.fullmatch, (unique_id, first, last))):
            detail = "UniqueID, highlight_start or highlight_end is not a number"
            return Rejected(where, "bad_number", detail)
        words = {"words": len(summary.split()), "highlight_words": int(last) - int(first)}
        return Activity(
            source_id=f"{unique_id}-{number}",
            start=None,
            timed=False,
            features={
                "task": 1.0,
                "text_length": len(summary) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            project=self._hash(f"mailbox {mail.partition('-')[0]}") if mail else 0,
            metadata=msgspec.json.encode(words).decode(),
        )


ADAPTER = SmartTodoCoded


def _is_header(line: bytes) -> bool:
    return line.removeprefix(BOM_UTF8).strip() == "\t".join(_COLUMNS).encode()
