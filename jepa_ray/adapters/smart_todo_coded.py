"""SmartToDo: to-do items that judges wrote for mails, in coded form.

Source: Mukherjee et al.: Smart To-Do, ACL 2020 (licence and citation: docs/sources.md).
A row of Spans_ToDo_dataset.tsv (CRLF, no quoting) becomes one untimed `Activity`: the mails are of
the licensed Avocado collection, so words are numbers (`$810$`) and there is no date. Two judges
wrote for each `UniqueID`, one pair not in neighbouring rows, so the line number is part of the
`source_id`. `text_length` counts the characters of the coded summary; metadata has the words.
"""

import re
from typing import ClassVar

from jepa_ray.adapters.base import NotReadableError, SourceInfo
from jepa_ray.adapters.json_values import encode
from jepa_ray.adapters.record_adapters import LineAdapter
from jepa_ray.readers import RawItem
from jepa_ray.windows import TEXT_CHARS_SCALE, Activity

CONFIDENCE = 0.6
_COLUMNS = (
    "UniqueID", "data_index", "current_id", "highlight_start", "highlight_end", "to_do_summary",
)  # fmt: skip
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class SmartTodoCoded(LineAdapter):
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
    header: ClassVar = "\t".join(_COLUMNS).encode()

    def activity(self, record: RawItem) -> Activity:
        """One row."""
        try:
            row = record.data.removesuffix(b"\r").decode().split("\t")
        except UnicodeDecodeError as error:
            detail = f"not UTF-8 at byte {error.start}"
            raise NotReadableError("malformed_line", detail) from None
        if len(row) != len(_COLUMNS):
            detail = f"{len(row)} columns, not {len(_COLUMNS)}"
            raise NotReadableError("malformed_line", detail)
        unique_id, _, mail, first, last, summary = row
        if not all(map(_NUMBER.fullmatch, (unique_id, first, last))):
            detail = "UniqueID, highlight_start or highlight_end is not a number"
            raise NotReadableError("bad_number", detail)
        words = {"words": len(summary.split()), "highlight_words": int(last) - int(first)}
        return Activity(
            source_id=f"{unique_id}-{record.number}",
            start=None,
            timed=False,
            features={
                "task": 1.0,
                "text_length": len(summary) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            project=self._hash(f"mailbox {mail.partition('-')[0]}") if mail else 0,
            metadata=encode(words),
        )


ADAPTER = SmartTodoCoded
